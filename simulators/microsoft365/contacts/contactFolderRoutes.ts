import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { findFolder, mailboxOf } from '../mailbox/findMailbox.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';

const READ = PERMISSIONS.readContacts;
const WRITE = PERMISSIONS.writeContacts;
const FOLDER = '/users/{user-id}/contactFolders/{contactFolder-id}';

export const contactFolderRoutes: readonly Route[] = [
  // The default folder is the parent of the others, and is not in its own list.
  { method: 'GET', path: '/users/{user-id}/contactFolders', permissions: READ, handle: (call) => list(call, findFolder(mailboxOf(call), 'contacts')) },
  { method: 'POST', path: '/users/{user-id}/contactFolders', permissions: WRITE, handle: (call) => create(call, findFolder(mailboxOf(call), 'contacts')) },
  { method: 'GET', path: '/users/{user-id}/contactFolders/delta()', permissions: READ, only: ['select', 'top'], handle: delta },
  { method: 'GET', path: FOLDER, permissions: READ, only: ['select', 'expand'], handle: (call) => ok(shape({ type: 'contactFolder' }, documentOf(mailboxOf(call), folderOf(call)), call.query)) },
  { method: 'PATCH', path: FOLDER, permissions: WRITE, handle: rename },
  { method: 'DELETE', path: FOLDER, permissions: WRITE, handle: remove },
  { method: 'POST', path: `${FOLDER}/permanentDelete`, permissions: WRITE, handle: remove },
  { method: 'GET', path: `${FOLDER}/childFolders`, permissions: READ, handle: (call) => list(call, folderOf(call)) },
  { method: 'POST', path: `${FOLDER}/childFolders`, permissions: WRITE, handle: (call) => create(call, folderOf(call)) },
];

function folderOf(call: Call): Folder {
  return findFolder(mailboxOf(call), param(call, 'contactFolder-id'), 'IPF.Contact');
}

function documentOf(mailbox: Mailbox, folder: Folder): Properties {
  return { id: mailbox.ids.folder(folder.number), displayName: folder.name, parentFolderId: mailbox.ids.folder(folder.parent ?? 0) };
}

function list(call: Call, parent: Folder): Reply {
  const mailbox = mailboxOf(call);
  const documents = mailbox.children(parent.number).filter((folder) => folder.class === 'IPF.Contact').map((folder) => documentOf(mailbox, folder));
  return answerList(call, arrayListing('contactFolder', documents, (document, query) => shape({ type: 'contactFolder' }, document, query), { defaultTop: 10 }));
}

function delta(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folders = mailbox.folders.filter((folder) => folder.class === 'IPF.Contact');
  return answerDelta(call, {
    type: 'contactFolder', resource: `contactFolders/${mailbox.exportId}`, life: mailbox.tokens.asNotFound(), defaultPage: 10, mostPage: 1000,
    sequence: () => mailbox.sequence,
    *entries(after) {
      for (const { number, removed } of folders) if (!removed && (after === undefined || -number < after.rank)) yield { rank: -number, key: String(number) };
    },
    *changes(since) {
      for (const { sequence, number } of folders.filter((folder) => folder.sequence > since).toSorted((a, b) => a.sequence - b.sequence)) yield { sequence, key: String(number) };
    },
    document: (key) => {
      const folder = mailbox.folder(Number(key));
      return folder === undefined ? undefined : documentOf(mailbox, folder);
    },
    removed: (key) => ({ '@removed': { reason: 'deleted' }, id: mailbox.ids.folder(Number(key)) }),
    shape: (document, query) => shape({ type: 'contactFolder' }, document, query),
  });
}

function create(call: Call, parent: Folder): Reply {
  const mailbox = mailboxOf(call);
  const { displayName } = jsonBody(call);
  if (typeof displayName !== 'string' || displayName === '') throw badRequest('A folder needs a displayName.', 'ErrorInvalidRequest');
  if (mailbox.children(parent.number).some(({ name }) => name === displayName)) throw new GraphFailure(409, 'ErrorFolderExists', 'A folder with the specified name already exists.');
  return created(documentOf(mailbox, mailbox.addFolder({ class: 'IPF.Contact', name: displayName, parent: parent.number })));
}

function rename(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  const { displayName } = jsonBody(call);
  if (typeof displayName !== 'string' || folder.wellKnown !== undefined) throw badRequest('This folder cannot be renamed so.', 'ErrorInvalidRequest');
  folder.name = displayName;
  mailbox.touch(folder);
  return ok(documentOf(mailbox, folder));
}

function remove(call: Call): Reply {
  const folder = folderOf(call);
  if (folder.wellKnown !== undefined) throw badRequest('Distinguished folders cannot be deleted.', 'ErrorDeleteDistinguishedFolder');
  mailboxOf(call).removeFolder(folder);
  return NO_CONTENT;
}
