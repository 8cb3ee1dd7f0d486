import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { expandExtended, objectOf } from '../items/documents.ts';
import { createOnce, EXPAND_ORIGIN, extendedOf, discardItem, originOfEntry, originProperty, patchItem, removeForGood } from '../restore/outlookItem.ts';
import type { FolderWriting, ItemWriting, Place, WrittenItem, Writing } from '../restore/partWriting.ts';
import { changedFields, pruned, withTag } from '../restore/shapes.ts';
import { CONTACTS_PURPOSE, photoOf } from './contactContent.ts';
import { listedContact } from './contactItem.ts';
import { isSamePhoto, keptPhoto, setPhoto } from './contactPhoto.ts';
import { contactExtended, CONTACT_EXTENDED, CONTACT_FIELDS, contactShape } from './contactShape.ts';
import { contactsPlan, CONTACT_OPTIONS, DEFAULT_FOLDER } from './contactsPlan.ts';

const WRITE_PURPOSE = 'write contacts (Contacts.ReadWrite)';

const folders: FolderWriting = {
  source: contactsPlan.folders, purpose: WRITE_PURPOSE, isNested: true,
  wellKnown: (folder) => (textOf(folder, 'wellKnownName') === DEFAULT_FOLDER ? DEFAULT_FOLDER : ''),
  createPath: (base, parentId) => (parentId === '' ? `${base}/contactFolders` : `${base}/contactFolders/${encodeURIComponent(parentId)}/childFolders`),
  path: (base, id) => `${base}/contactFolders/${encodeURIComponent(id)}`,
  fields: () => ({}),
};

/** Contacts are given back with every field that Graph lets be set, in their folders, with their photos. */
export const contactWriting: ItemWriting = {
  name: contactsPlan.name, kind: contactsPlan.kind, nouns: contactsPlan.nouns, readPurpose: CONTACTS_PURPOSE, writePurpose: WRITE_PURPOSE, folders,
  listPath: (base, folderId) => `${base}/contactFolders/${encodeURIComponent(folderId)}/contacts?${CONTACT_OPTIONS}&${EXPAND_ORIGIN}`,
  shortPath: (base, { id }) => `${pathOf(base, id)}?${CONTACT_OPTIONS},parentFolderId&${EXPAND_ORIGIN}`,
  listed: listedContact,
  originOf: originOfEntry,
  shownPaths: (base, { id }) => [`${pathOf(base, id)}?$expand=${encodeURIComponent(expandExtended(CONTACT_EXTENDED))}`],
  shape: contactShape,
  streams: { itemPath: pathOf, mayImport: () => true, isHeard: () => false },
  make,
  mend,
  isSameBeside: async ({ id }, document, _standing, writing) => await isSamePhoto(pathOf(writing.access.path, id), document, writing),
  besideOf: async ({ id }, _document, access, signal) => {
    const photo = await photoOf(access, pathOf(access.path, id), signal);
    return photo === undefined ? {} : { '@holdfast.photo': photo };
  },
  discard: async ({ id }, access, signal) => await discardItem(access, pathOf(access.path, id), contactWriting, signal),
  remove: async ({ id }, access, signal) => await removeForGood(access, pathOf(access.path, id), contactWriting, signal),
};

function pathOf(base: string, id: string): string {
  return `${base}/contacts/${encodeURIComponent(id)}`;
}

async function make(document: Entry, writing: Writing): Promise<WrittenItem> {
  const { access: { path }, folderId, tag } = writing;
  const kept = { ...document, categories: withTag(document['categories'], tag) };
  const fields = pruned(Object.fromEntries(CONTACT_FIELDS.map((name) => [name, kept[name as keyof typeof kept]]))) as Entry;
  const body = { ...fields, singleValueExtendedProperties: contactExtended(document) };
  const hasPhoto = keptPhoto(document) !== undefined;
  const stamp = writing.stampOf(body);
  const folder = `${path}/contactFolders/${encodeURIComponent(folderId)}/contacts`;
  const made = await createOnce(contactWriting, { list: folder, item: (id) => pathOf(path, id) }, body, writing.origin(stamp, !hasPhoto), writing);
  const item = pathOf(path, idOf(made));
  if (hasPhoto) await setPhoto(item, document, writing, WRITE_PURPOSE);
  const now = writing.stampOf({ ...made, singleValueExtendedProperties: body.singleValueExtendedProperties });
  const isNoted = !hasPhoto && now === stamp;
  return { id: idOf(made), shown: isNoted ? made : await patchItem(writing.access, item, originProperty(writing.origin(now, true)), contactWriting, writing.signal) };
}

/** Only what differs is written. The origin comes last: whatever is killed in between is mended again. */
async function mend({ id }: Place, document: Entry, standing: Entry, writing: Writing): Promise<Entry> {
  const item = pathOf(writing.access.path, id);
  if (!await isSamePhoto(item, document, writing)) await setPhoto(item, document, writing, WRITE_PURPOSE);
  const wanted = { ...document, categories: withTag(document['categories'], writing.tag) };
  const extended = contactExtended(document, standing);
  const fields = withWholeAddresses(changedFields(standing, wanted, CONTACT_FIELDS));
  const after = new Map([...extendedOf(standing), ...extendedOf({ singleValueExtendedProperties: extended })]);
  const shownExtended = [...after].map(([name, value]) => ({ id: name, value }));
  const stamp = writing.stampOf({ ...standing, ...fields, singleValueExtendedProperties: shownExtended });
  const { singleValueExtendedProperties: origin } = originProperty(writing.origin(stamp, true)) as { singleValueExtendedProperties: Entry[] };
  const answer = await patchItem(writing.access, item, { ...fields, singleValueExtendedProperties: [...extended, ...origin] }, contactWriting, writing.signal);
  const now = writing.stampOf({ ...answer, singleValueExtendedProperties: shownExtended });
  return now === stamp ? answer : await patchItem(writing.access, item, originProperty(writing.origin(now, true)), contactWriting, writing.signal);
}

/** What an address does not name might stay as it is: so each part of one is told. */
function withWholeAddresses(fields: Entry): Entry {
  const whole = (name: string): Entry => Object.fromEntries(['street', 'city', 'state', 'countryOrRegion', 'postalCode'].map((part) => [part, objectOf(fields, name)[part] ?? null]));
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, /^(business|home|other)Address$/.test(name) ? whole(name) : value]));
}
