import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import { mergeExtended, readExtended } from '../mailbox/extendedProperties.ts';
import { findFolder, mailboxOf } from '../mailbox/findMailbox.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { copyFolder } from './copyFolder.ts';
import { folderDocument, shapeFolder, showFolder } from './folderView.ts';
import { textOf } from '../odata/textOf.ts';

const FOLDER = '/users/{user-id}/mailFolders/{mailFolder-id}';
const READ = PERMISSIONS.readMail;
const WRITE = PERMISSIONS.writeMail;

export const folderRoutes: readonly Route[] = [
  { method: 'GET', path: '/users/{user-id}/mailFolders', permissions: READ, options: ['includeHiddenFolders'], handle: (call) => listChildren(call, mailboxOf(call).folderByWellKnown('msgfolderroot')) },
  { method: 'POST', path: '/users/{user-id}/mailFolders', permissions: WRITE, handle: (call) => makeFolder(call, mailboxOf(call).folderByWellKnown('msgfolderroot')) },
  { method: 'GET', path: '/users/{user-id}/mailFolders/delta()', permissions: READ, only: ['select', 'expand', 'top'], handle: deltaFolders },
  { method: 'GET', path: FOLDER, permissions: READ, only: ['select', 'expand'], options: ['includeHiddenFolders'], handle: (call) => ok(showFolder(call, mailboxOf(call), folderOf(call))) },
  { method: 'PATCH', path: FOLDER, permissions: WRITE, handle: renameFolder },
  { method: 'DELETE', path: FOLDER, permissions: WRITE, handle: (call) => deleteFolder(mailboxOf(call), folderOf(call)) },
  { method: 'POST', path: `${FOLDER}/permanentDelete`, permissions: WRITE, handle: (call) => purgeFolder(mailboxOf(call), folderOf(call)) },
  { method: 'GET', path: `${FOLDER}/childFolders`, permissions: READ, options: ['includeHiddenFolders'], handle: (call) => listChildren(call, folderOf(call)) },
  { method: 'POST', path: `${FOLDER}/childFolders`, permissions: WRITE, handle: (call) => makeFolder(call, folderOf(call)) },
  { method: 'POST', path: `${FOLDER}/move`, permissions: WRITE, handle: (call) => relocate(call, false) },
  { method: 'POST', path: `${FOLDER}/copy`, permissions: WRITE, handle: (call) => relocate(call, true) },
];

function folderOf(call: Call): Folder {
  return findFolder(mailboxOf(call), param(call, 'mailFolder-id'), 'IPF.Note');
}

function listChildren(call: Call, parent: Folder | undefined): Reply {
  const mailbox = mailboxOf(call);
  const hidden = call.query.custom.get('includehiddenfolders') === 'true';
  const children = parent === undefined ? [] : mailbox.children(parent.number).filter((folder) => folder.class === 'IPF.Note' && (hidden || !folder.hidden));
  return answerList(call, arrayListing('mailFolder', children.map((folder) => folderDocument(mailbox, folder)), (document, query) => shapeFolder(mailbox, document, query), { defaultTop: 10 }));
}

/** All mail folders below the root, at any depth; hidden ones are not told. */
function deltaFolders(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const told = (folder: Folder): boolean => folder.class === 'IPF.Note' && !folder.hidden && folder.parent !== undefined;
  const document = (key: string) => {
    const folder = mailbox.folder(Number(key));
    return folder === undefined ? undefined : folderDocument(mailbox, folder);
  };
  return answerDelta(call, {
    type: 'mailFolder', resource: `Collection(mailFolder)/${mailbox.exportId}`, life: mailbox.tokens, defaultPage: 10, mostPage: 1000,
    sequence: () => mailbox.sequence,
    *entries(after) {
      for (const folder of mailbox.folders) {
        if (told(folder) && !folder.removed && (after === undefined || -folder.number < after.rank)) yield { rank: -folder.number, key: String(folder.number) };
      }
    },
    *changes(since) {
      const changed = mailbox.folders.filter((folder) => told(folder) && folder.sequence > since).toSorted((a, b) => a.sequence - b.sequence);
      for (const { sequence, number } of changed) yield { sequence, key: String(number) };
    },
    document,
    removed: (key) => ({ '@removed': { reason: 'deleted' }, id: mailbox.ids.folder(Number(key)) }),
    shape: (shown, query) => shapeFolder(mailbox, shown, query),
  });
}

function makeFolder(call: Call, parent: Folder | undefined): Reply {
  const mailbox = mailboxOf(call);
  const body = jsonBody(call);
  if (parent === undefined) throw badRequest('The parent folder is not known.');
  const name = readName(body['displayName']);
  refuseDouble(mailbox, parent.number, name);
  const isSearch = textOf(body['@odata.type']).endsWith('mailSearchFolder');
  const extra = isSearch
    ? { '@odata.type': '#microsoft.graph.mailSearchFolder', isSupported: true, includeNestedFolders: body['includeNestedFolders'], sourceFolderIds: body['sourceFolderIds'], filterQuery: body['filterQuery'] }
    : {};
  const folder = mailbox.addFolder({ class: 'IPF.Note', name, parent: parent.number, hidden: body['isHidden'] === true, extra });
  return created(showFolder(call, mailbox, folder));
}

function renameFolder(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  const body = jsonBody(call);
  const others = Object.keys(body).filter((name) => !['displayName', 'includeNestedFolders', 'sourceFolderIds', 'filterQuery', 'singleValueExtendedProperties'].includes(name) && !name.includes('@'));
  if (others.length > 0) throw badRequest(`The property '${others[0] ?? ''}' of a folder cannot be changed.`);
  const { displayName, singleValueExtendedProperties: _extended, ...extra } = body;
  folder.extended = mergeExtended(folder.extended, readExtended(body));
  if (displayName !== undefined) {
    if (folder.wellKnown !== undefined) throw badRequest('A distinguished folder cannot be renamed.', 'ErrorInvalidOperation');
    const name = readName(displayName);
    if (name !== folder.name) refuseDouble(mailbox, folder.parent ?? 0, name);
    folder.name = name;
  }
  folder.extra = { ...folder.extra, ...extra };
  mailbox.touch(folder);
  return ok(showFolder(call, mailbox, folder));
}

/** A folder goes to Deleted Items; from there for good. */
function deleteFolder(mailbox: Mailbox, folder: Folder): Reply {
  refuseDistinguished(folder);
  const bin = mailbox.folderByWellKnown('deleteditems');
  if (bin === undefined || isBelow(mailbox, folder, bin)) return purgeFolder(mailbox, folder);
  folder.parent = bin.number;
  mailbox.touch(folder);
  return NO_CONTENT;
}

function purgeFolder(mailbox: Mailbox, folder: Folder): Reply {
  refuseDistinguished(folder);
  mailbox.removeFolder(folder);
  return NO_CONTENT;
}

function relocate(call: Call, copy: boolean): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  const body = jsonBody(call);
  const target = findFolder(mailbox, textOf(body['destinationId'] ?? body['DestinationId']), 'IPF.Note');
  refuseDouble(mailbox, target.number, folder.name);
  if (isBelow(mailbox, target, folder) || target === folder) throw badRequest('A folder cannot go into itself.', 'ErrorMoveCopyFailed');
  if (copy) return created(showFolder(call, mailbox, copyFolder(mailbox, folder, target.number)));
  refuseDistinguished(folder);
  folder.parent = target.number;
  mailbox.touch(folder);
  return created(showFolder(call, mailbox, folder));
}

function isBelow(mailbox: Mailbox, folder: Folder, above: Folder): boolean {
  for (let at = mailbox.folder(folder.parent); at !== undefined; at = mailbox.folder(at.parent)) if (at === above) return true;
  return false;
}

function readName(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw badRequest('A folder needs a displayName.', 'ErrorInvalidArgument');
  return value;
}

function refuseDouble(mailbox: Mailbox, parent: number, name: string): void {
  if (mailbox.children(parent).some((child) => child.name.toLowerCase() === name.toLowerCase())) {
    throw new GraphFailure(409, 'ErrorFolderExists', 'A folder with the specified name already exists.');
  }
}

function refuseDistinguished(folder: Folder): void {
  if (folder.wellKnown !== undefined) throw badRequest('Distinguished folders cannot be deleted.', 'ErrorDeleteDistinguishedFolder');
}
