import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { expandExtended, mergeExtended, readExtended } from '../mailbox/extendedProperties.ts';
import { findFolder, findItem, mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { itemDelta, itemListing } from '../mailbox/shelfListing.ts';
import type { ItemView } from '../mailbox/shelfListing.ts';
import { itemDocument, parentId, removedItem } from '../mailbox/showItem.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { isPropertyOf } from '../odata/typeProperties.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';

const READ = PERMISSIONS.readContacts;
const WRITE = PERMISSIONS.writeContacts;
const READ_ONLY = new Set(['id', 'createdDateTime', 'lastModifiedDateTime', 'changeKey', 'parentFolderId', 'primaryEmailAddress', 'secondaryEmailAddress', 'tertiaryEmailAddress', 'photo',
  'singleValueExtendedProperties', 'multiValueExtendedProperties']);
/** As for the photos of users. */
const MOST_PHOTO = 4 * 1024 * 1024;
const ITEM = Symbol('item');
/** Where contacts are reached from: the default folder, or a folder by id. */
const BASES = ['/users/{user-id}/contacts', '/users/{user-id}/contactFolders/{contactFolder-id}/contacts'];

export const contactRoutes: readonly Route[] = [
  ...BASES.flatMap((base): Route[] => [
    { method: 'GET', path: base, permissions: READ, handle: list },
    { method: 'POST', path: base, permissions: WRITE, handle: create },
    { method: 'GET', path: `${base}/{contact-id}`, permissions: READ, only: ['select', 'expand'], handle: (call) => ok(show(call, contactOf(call))) },
    { method: 'PATCH', path: `${base}/{contact-id}`, permissions: WRITE, handle: patch },
    { method: 'DELETE', path: `${base}/{contact-id}`, permissions: WRITE, handle: remove },
    { method: 'POST', path: `${base}/{contact-id}/permanentDelete`, permissions: WRITE, handle: remove },
    { method: 'GET', path: `${base}/{contact-id}/photo`, permissions: READ, only: ['select'], handle: describePhoto },
    { method: 'GET', path: `${base}/{contact-id}/photo/$value`, permissions: READ, only: [], handle: readPhoto },
    { method: 'PUT', path: `${base}/{contact-id}/photo/$value`, permissions: WRITE, handle: writePhoto },
    { method: 'DELETE', path: `${base}/{contact-id}/photo/$value`, permissions: WRITE, handle: removePhoto },
  ]),
  { method: 'GET', path: '/users/{user-id}/contactFolders/{contactFolder-id}/contacts/delta()', permissions: READ, only: ['select', 'top', 'expand'], handle: delta },
  { method: 'GET', path: '/users/{user-id}/contactFolders/{contactFolder-id}/childFolders/{contactFolder-id1}/contacts', permissions: READ, handle: list },
];

function folderOf(call: Call): Folder {
  const id = call.params['contactFolder-id1'] ?? call.params['contactFolder-id'];
  return findFolder(mailboxOf(call), id ?? 'contacts', 'IPF.Contact');
}

function contactOf(call: Call): FoundItem {
  const within = call.params['contactFolder-id'] === undefined ? undefined : folderOf(call);
  return findItem(mailboxOf(call), param(call, 'contact-id'), 'contact', within);
}

function contactView(call: Call, mailbox: Mailbox): ItemView {
  return {
    type: 'contact',
    document: (item, folder) => {
      const [primary, secondary, tertiary] = (item.properties['emailAddresses'] ?? []) as unknown[];
      return {
        ...itemDocument(call, mailbox, item), parentFolderId: parentId(mailbox, folder), primaryEmailAddress: primary ?? null, secondaryEmailAddress: secondary ?? null,
        tertiaryEmailAddress: tertiary ?? null, [ITEM]: item,
      };
    },
    shape: (document, query) => {
      const item = (document as { [ITEM]?: Item })[ITEM];
      if (item === undefined) throw new Error('a contact was shown that came from no item');
      return shape({
        type: 'contact',
        expand: {
          singleValueExtendedProperties: (expansion) => expandExtended(item, [], expansion),
          multiValueExtendedProperties: (expansion) => expandExtended(item, [], expansion),
        },
      }, document, query);
    },
  };
}

function show(call: Call, { item, folder }: Pick<FoundItem, 'item' | 'folder'>): Properties {
  const view = contactView(call, mailboxOf(call));
  return { '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/contacts/$entity`, ...view.shape(view.document(item, folder), call.query) };
}

function list(call: Call): Reply {
  return answerList(call, itemListing([folderOf(call)], contactView(call, mailboxOf(call))));
}

function delta(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  return answerDelta(call, itemDelta(folder, contactView(call, mailbox), {
    resource: `contacts/${mailbox.ids.folder(folder.number)}`, life: mailbox.tokens.asNotFound(), removed: (key) => removedItem(call, mailbox, key),
  }));
}

function readBody(body: Properties): Properties {
  const unknown = Object.keys(body).find((name) => !isPropertyOf('contact', name));
  if (unknown !== undefined) throw badRequest(`The property '${unknown}' does not exist on type 'microsoft.graph.contact'.`, 'RequestBodyRead');
  const addresses = body['emailAddresses'];
  if (addresses !== undefined && (!Array.isArray(addresses) || addresses.length > 3)) throw badRequest('A contact has three e-mail addresses at most.', 'ErrorInvalidRequest');
  return Object.fromEntries(Object.entries(body).filter(([name]) => !READ_ONLY.has(name) && !name.includes('@')));
}

function create(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = folderOf(call);
  const body = jsonBody(call);
  const now = call.world.clock.now();
  const given = readBody(body);
  const name = [given['givenName'], given['surname']].filter((part) => typeof part === 'string').join(' ');
  const item: Item = {
    key: mailbox.newKey(), kind: 'contact', rank: mailbox.nextSequence(), moves: 0, version: 0, created: now, modified: now, attachments: [], extended: readExtended(body),
    properties: { displayName: name, categories: [], emailAddresses: [], businessPhones: [], homePhones: [], imAddresses: [], children: [], personalNotes: '', ...given },
  };
  mailbox.put(folder, item);
  return created(show(call, { item, folder }));
}

function patch(call: Call): Reply {
  const { item, folder } = contactOf(call);
  const body = jsonBody(call);
  const changed: Item = {
    ...item, version: item.version + 1, modified: call.world.clock.now(), properties: { ...item.properties, ...readBody(body) }, extended: mergeExtended(item.extended, readExtended(body)),
  };
  mailboxOf(call).put(folder, changed);
  return ok(show(call, { item: changed, folder }));
}

function remove(call: Call): Reply {
  mailboxOf(call).drop(contactOf(call).item.key);
  return NO_CONTENT;
}

function photoOf(call: Call): Buffer {
  const photo = contactOf(call).item.photo?.();
  if (photo === undefined) throw new GraphFailure(404, 'ErrorItemNotFound', 'The photo was not found.');
  return photo;
}

function describePhoto(call: Call): Reply {
  photoOf(call);
  return ok({ '@odata.mediaContentType': 'image/png', id: '48x48', height: 48, width: 48 });
}

/** Fact 65. */
function readPhoto(call: Call): Reply {
  return { status: 200, bytes: photoOf(call), headers: { 'Content-Type': 'image/png' } };
}

function writePhoto(call: Call): Reply {
  const { item, folder } = contactOf(call);
  const bytes = Buffer.from(call.request.body);
  if (bytes.length === 0 || !/^image\//i.test(call.request.headers['content-type'] ?? '')) throw badRequest('A photo is an image.', 'ErrorInvalidImage');
  if (bytes.length > MOST_PHOTO) throw new GraphFailure(413, 'ErrorMessageSizeExceeded', 'The photo is larger than 4 MB.');
  mailboxOf(call).put(folder, { ...item, version: item.version + 1, modified: call.world.clock.now(), photo: () => bytes });
  return { status: 200 };
}

function removePhoto(call: Call): Reply {
  photoOf(call);
  const { item, folder } = contactOf(call);
  const { photo: _gone, ...rest } = item;
  mailboxOf(call).put(folder, { ...rest, version: item.version + 1, modified: call.world.clock.now() });
  return NO_CONTENT;
}
