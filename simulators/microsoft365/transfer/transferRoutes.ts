import { graphRoot, jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { findAnyItem, findFolder } from '../mailbox/findMailbox.ts';
import type { Folder, FolderClass } from '../mailbox/folder.ts';
import { KIND_OF_CLASS } from '../mailbox/folder.ts';
import type { ExtendedProperty, Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { changeKeyOf, itemDocument, removedItem } from '../mailbox/showItem.ts';
import { itemDelta, itemListing } from '../mailbox/shelfListing.ts';
import type { ItemView } from '../mailbox/shelfListing.ts';
import { sizeOf } from '../mail/messageView.ts';
import { expandExtended } from '../mailbox/extendedProperties.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { exportStream, MESSAGE_CLASS } from './itemStream.ts';
import { textOf } from '../odata/textOf.ts';

const MAILBOX = '/admin/exchange/mailboxes/{mailbox-id}';
const FOLDER = `${MAILBOX}/folders/{mailboxFolder-id}`;
const READ = PERMISSIONS.readMailboxFolders;
const WRITE = PERMISSIONS.writeMailboxFolders;
const ITEMS = PERMISSIONS.readMailboxItems;
/** Fact 55. */
const MOST_EXPORTED = 20;
const SESSION_MS = 3_600_000;

export const transferRoutes: readonly Route[] = [
  { method: 'GET', path: `${MAILBOX}/folders`, permissions: READ, handle: (call) => listFolders(call, 0) },
  { method: 'POST', path: `${MAILBOX}/folders`, permissions: WRITE, handle: (call) => makeFolder(call, 0) },
  { method: 'GET', path: `${MAILBOX}/folders/delta()`, permissions: READ, only: ['select', 'top'], handle: deltaFolders },
  { method: 'GET', path: FOLDER, permissions: READ, only: ['select', 'expand'], handle: (call) => ok(shape({ type: 'mailboxFolder' }, folderDocument(call, mailboxOf(call), folderOf(call)), call.query)) },
  { method: 'PATCH', path: FOLDER, permissions: WRITE, handle: renameFolder },
  { method: 'DELETE', path: FOLDER, permissions: WRITE, handle: deleteFolder },
  { method: 'GET', path: `${FOLDER}/childFolders`, permissions: READ, handle: (call) => listFolders(call, folderOf(call).number) },
  { method: 'POST', path: `${FOLDER}/childFolders`, permissions: WRITE, handle: (call) => makeFolder(call, folderOf(call).number) },
  { method: 'GET', path: `${FOLDER}/items`, permissions: ITEMS, handle: (call) => answerList(call, itemListing([folderOf(call)], itemView(call))) },
  { method: 'GET', path: `${FOLDER}/items/delta()`, permissions: ITEMS, only: ['select', 'top', 'filter', 'expand'], handle: deltaItems },
  { method: 'GET', path: `${FOLDER}/items/{mailboxItem-id}`, permissions: ITEMS, only: ['select', 'expand'], handle: showItem },
  { method: 'POST', path: `${MAILBOX}/exportItems`, permissions: PERMISSIONS.exportItems, handle: exportItems },
  { method: 'POST', path: `${MAILBOX}/createImportSession`, permissions: PERMISSIONS.importItems, handle: createImportSession },
];

function mailboxOf(call: Call): Mailbox {
  const id = param(call, 'mailbox-id');
  const mailbox = call.world.mailboxOfExportId(id);
  if (mailbox === undefined) throw new GraphFailure(404, 'ErrorNonExistentMailbox', `No mailbox with the id '${id}'.`);
  return mailbox;
}

function folderOf(call: Call): Folder {
  return findFolder(mailboxOf(call), param(call, 'mailboxFolder-id'));
}

function folderDocument(call: Call, mailbox: Mailbox, folder: Folder): Properties {
  return {
    '@odata.type': '#microsoft.graph.mailboxFolder', id: mailbox.ids.folder(folder.number), displayName: folder.name, parentFolderId: mailbox.ids.folder(folder.parent ?? folder.number),
    parentMailboxUrl: `${graphRoot(call)}/admin/exchange/mailboxes/${mailbox.exportId}`, childFolderCount: mailbox.children(folder.number).length,
    totalItemCount: folder.shelf.size, wellKnownName: folder.wellKnown ?? null, type: folder.class,
  };
}

function listFolders(call: Call, parent: number): Reply {
  const mailbox = mailboxOf(call);
  return answerList(call, arrayListing('mailboxFolder', mailbox.children(parent).map((folder) => folderDocument(call, mailbox, folder)), (document, query) => shape({ type: 'mailboxFolder' }, document, query), { defaultTop: 10 }));
}

function deltaFolders(call: Call): Reply {
  const mailbox = mailboxOf(call);
  return answerDelta(call, {
    type: 'mailboxFolder', resource: `Collection(mailboxFolder)/${mailbox.exportId}`, life: mailbox.tokens, defaultPage: 10, mostPage: 1000,
    sequence: () => mailbox.sequence,
    *entries(after) {
      for (const { number, removed } of mailbox.folders) if (!removed && (after === undefined || -number < after.rank)) yield { rank: -number, key: String(number) };
    },
    *changes(since) {
      for (const { number, sequence } of mailbox.folders.filter((folder) => folder.sequence > since).toSorted((a, b) => a.sequence - b.sequence)) yield { sequence, key: String(number) };
    },
    document: (key) => {
      const folder = mailbox.folder(Number(key));
      return folder === undefined ? undefined : folderDocument(call, mailbox, folder);
    },
    removed: (key) => ({ '@removed': { reason: 'deleted' }, id: mailbox.ids.folder(Number(key)) }),
    shape: (document, query) => shape({ type: 'mailboxFolder' }, document, query),
  });
}

/** Fact 56: a folder needs a name and a class. */
function makeFolder(call: Call, parent: number): Reply {
  const mailbox = mailboxOf(call);
  const { displayName, type } = jsonBody(call);
  if (typeof displayName !== 'string' || typeof type !== 'string' || !(type in KIND_OF_CLASS)) throw badRequest('A folder needs displayName and type.', 'ErrorInvalidRequest');
  if (mailbox.children(parent).some(({ name }) => name === displayName)) throw new GraphFailure(409, 'ErrorFolderExists', 'A folder with the specified name already exists.');
  return created(folderDocument(call, mailbox, mailbox.addFolder({ class: type as FolderClass, name: displayName, parent })));
}

function renameFolder(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  const { displayName } = jsonBody(call);
  if (typeof displayName !== 'string' || folder.wellKnown !== undefined) throw badRequest('This folder cannot be renamed so.', 'ErrorInvalidRequest');
  folder.name = displayName;
  mailbox.touch(folder);
  return ok(folderDocument(call, mailbox, folder));
}

function deleteFolder(call: Call): Reply {
  const folder = folderOf(call);
  if (folder.wellKnown !== undefined) throw badRequest('Distinguished folders cannot be deleted.', 'ErrorDeleteDistinguishedFolder');
  mailboxOf(call).removeFolder(folder);
  return NO_CONTENT;
}

function itemView(call: Call): ItemView {
  const mailbox = mailboxOf(call);
  const items = new WeakMap<Properties, Parameters<ItemView['document']>[0]>();
  return {
    type: 'mailboxItem',
    document: (item) => {
      const { '@odata.etag': etag, id, createdDateTime, lastModifiedDateTime, changeKey } = itemDocument(call, mailbox, item);
      const document = {
        '@odata.type': '#microsoft.graph.mailboxItem', '@odata.etag': etag, id, createdDateTime, lastModifiedDateTime, changeKey, categories: item.properties['categories'] ?? [],
        type: MESSAGE_CLASS[item.kind], size: sizeOf(item),
      };
      items.set(document, item);
      return document;
    },
    shape: (document, query) => shape({
      type: 'mailboxItem',
      expand: { singleValueExtendedProperties: (expansion) => {
        const item = items.get(document);
        return item === undefined ? undefined : expandExtended(item, wordsOf(item), expansion);
      } },
    }, document, query),
  };
}

/** Of a note its first words and its text, as the store names them: no other resource shows them. */
function wordsOf({ kind, properties }: Item): ExtendedProperty[] {
  const { subject, body } = properties as { subject?: string; body?: { content?: string } };
  return kind === 'note' ? [{ id: 'String 0x37', value: subject ?? '' }, { id: 'String 0x1000', value: body?.content ?? '' }] : [];
}

function deltaItems(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  return answerDelta(call, itemDelta(folder, itemView(call), {
    resource: `Collection(mailboxItem)/${mailbox.ids.folder(folder.number)}`, life: mailbox.tokens, removed: (key) => removedItem(call, mailbox, key),
  }));
}

function showItem(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const found = findAnyItem(mailbox, param(call, 'mailboxItem-id'));
  if (found === undefined || found.folder !== folderOf(call)) throw new GraphFailure(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
  const view = itemView(call);
  return ok(view.shape(view.document(found.item, found.folder), call.query));
}

/** Each item is told alone: its stream, or why there is none. */
function exportItems(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const body = jsonBody(call);
  const ids = body['itemIds'] ?? body['ItemIds'];
  if (!Array.isArray(ids) || ids.length === 0) throw badRequest('itemIds is missing.', 'ErrorInvalidRequest');
  if (ids.length > MOST_EXPORTED) throw badRequest(`At most ${MOST_EXPORTED} items are exported at a time.`, 'ErrorInvalidRequest');
  const value = ids.map((id: unknown) => {
    const found = findAnyItem(mailbox, textOf(id));
    if (found === undefined) return { itemId: id, changeKey: null, error: { code: 'ErrorItemNotFound', message: 'The specified object was not found in the store.' } };
    const { item } = found;
    return { itemId: id, changeKey: changeKeyOf(mailbox, item.key, item.version), data: exportStream(item).toString('base64') };
  });
  return ok({ '@odata.context': `${graphRoot(call)}/$metadata#Collection(microsoft.graph.exportItemResponse)`, value });
}

function createImportSession(call: Call): Reply {
  const { world } = call;
  const mailbox = mailboxOf(call);
  if (call.request.body.length > 0) throw badRequest('This request has no body.', 'ErrorInvalidRequest');
  const id = world.newId();
  const expires = world.clock.now() + SESSION_MS;
  world.imports.set(id, { id, appId: call.app.id, userId: mailbox.exportId.slice(4).split('@')[0] ?? '', expires });
  return ok({
    '@odata.context': `${graphRoot(call)}/$metadata#microsoft.graph.mailboxItemImportSession`,
    importUrl: `${world.origin}/outlook/ImportSessions/${id}?authtoken=${world.seal.seal(id)}`, expirationDateTime: new Date(expires).toISOString(),
  });
}
