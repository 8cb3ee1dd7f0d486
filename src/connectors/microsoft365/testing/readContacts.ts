import { createHash } from 'node:crypto';
import { all, type Document } from './readMailbox.ts';
import { put, type ShownItem } from './shownItems.ts';
import type { TestTenant } from './testTenant.ts';

/** What Graph's contact lacks and Outlook has; some of it, for a comparison. */
const EXTENDED = ['String 0x3A21', 'String 0x3A1E', 'SystemTime 0x3A41', 'Short 0x3A4D'];

/** All contacts of a mailbox with their photos, read over Graph by nothing of the product. The key is the path of the folder and the name. */
export async function readContacts(tenant: TestTenant, address = tenant.address): Promise<Map<string, ShownItem>> {
  const contacts = new Map<string, ShownItem>();
  const expand = encodeURIComponent(`singleValueExtendedProperties($filter=${EXTENDED.map((id) => `id eq '${id}'`).join(' or ')})`);
  for (const [id, path] of await contactFolders(tenant, address)) {
    for (const contact of await all(tenant, `/contactFolders/${id}/contacts?$top=100&$expand=${expand}`, address)) {
      const photo = await tenant.bytes('GET', `/contacts/${contact['id']}/photo/$value`, { address });
      // A text that was emptied says nothing.
      const extended = ((contact['singleValueExtendedProperties'] ?? []) as { value: string }[]).filter(({ value }) => value !== '');
      const fields = { ...contact, singleValueExtendedProperties: extended, photo: photo === undefined ? null : createHash('sha256').update(photo).digest('hex') };
      put(contacts, `${path} ${contact['displayName']}`, { path, fields });
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
