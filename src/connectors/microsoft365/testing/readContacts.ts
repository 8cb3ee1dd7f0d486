import { createHash } from 'node:crypto';
import { all, type Document } from './readMailbox.ts';
import type { TestTenant } from './testTenant.ts';

/** What Graph's contact lacks and Outlook has; some of it, for a comparison. */
const EXTENDED = ['String 0x3A21', 'String 0x3A1E', 'SystemTime 0x3A41', 'Short 0x3A4D'];

export interface ShownItem {
  readonly path: string;
  readonly fields: Document;
}

/** All contacts of a mailbox with their photos, read over Graph by nothing of the product. The key is the path of the folder and the name. */
export async function readContacts(tenant: TestTenant, address = tenant.address): Promise<Map<string, ShownItem>> {
  const contacts = new Map<string, ShownItem>();
  const expand = encodeURIComponent(`singleValueExtendedProperties($filter=${EXTENDED.map((id) => `id eq '${id}'`).join(' or ')})`);
  for (const [id, path] of await contactFolders(tenant, address)) {
    for (const contact of await all(tenant, `/contactFolders/${id}/contacts?$top=100&$expand=${expand}`, address)) {
      const photo = await tenant.bytes('GET', `/contacts/${contact['id']}/photo/$value`, { address });
      const fields = { ...contact, photo: photo === undefined ? null : createHash('sha256').update(photo).digest('hex') };
      let key = `${path} ${contact['displayName']}`;
      while (contacts.has(key)) key += ' (again)';
      contacts.set(key, { path, fields });
    }
  }
  return contacts;
}

/** Folders by id, with their paths; the one that every mailbox has is in no list. */
export async function contactFolders(tenant: TestTenant, address = tenant.address): Promise<Map<string, string>> {
  const [first] = (await tenant.ask('GET', '/contacts?$top=1&$select=parentFolderId', undefined, address)).value as Document[];
  const top = await tenant.ask('GET', `/contactFolders/${first?.['parentFolderId'] ?? 'contacts'}`, undefined, address);
  const folders = new Map<string, string>([[top.id, top.displayName]]);
  const below = async (list: string, path: string): Promise<void> => {
    for (const { id, displayName } of await all(tenant, `${list}?$top=100`, address)) {
      if (folders.has(id)) continue;
      folders.set(id, path === '' ? displayName : `${path}/${displayName}`);
      await below(`/contactFolders/${id}/childFolders`, folders.get(id) ?? '');
    }
  };
  await below('/contactFolders', '');
  return folders;
}

/** Names of the fields that differ over all items that are in both. What says nothing (null, '', {}, []) is no difference. */
export function differing(before: ReadonlyMap<string, ShownItem>, after: ReadonlyMap<string, ShownItem>): string[] {
  const found = new Set<string>();
  for (const [key, { fields }] of before) {
    const other = after.get(key)?.fields ?? {};
    for (const name of new Set([...Object.keys(fields), ...Object.keys(other)])) if (plain(fields[name]) !== plain(other[name])) found.add(name);
  }
  return [...found].sort();
}

function plain(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (inner === null || inner === '' || (Array.isArray(inner) && inner.length === 0)) return undefined;
    if (typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner).filter(([, part]) => part !== null && part !== '').sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }) ?? '';
}
