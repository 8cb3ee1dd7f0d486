import type { Document } from './readMailbox.ts';
import { put, type ShownItem } from './shownItems.ts';
import type { TestTenant } from './testTenant.ts';

const EXPAND = encodeURIComponent("singleValueExtendedProperties($filter=id eq 'String 0x0037' or id eq 'String 0x1000')");

/** All sticky notes of a mailbox with their words, read over Graph by nothing of the product. The key is the folder and the time at which a note was made. */
export async function readNotes(tenant: TestTenant, address: string): Promise<Map<string, ShownItem>> {
  const notes = new Map<string, ShownItem>();
  const { primaryMailboxId } = await tenant.ask('GET', '/settings/exchange', undefined, address);
  const base = `/admin/exchange/mailboxes/${primaryMailboxId}`;
  for (const { id, displayName, type } of (await tenant.askAt('GET', `${base}/folders?$top=100`)).value as Document[]) {
    if (type !== 'IPF.StickyNote') continue;
    for (const note of (await tenant.askAt('GET', `${base}/folders/${id}/items?$top=200&$expand=${EXPAND}`)).value as Document[]) {
      const { singleValueExtendedProperties: words, ...rest } = note;
      put(notes, `${displayName} ${note['createdDateTime']}`, { path: displayName, fields: { ...rest, words, folderId: id } });
    }
  }
  return notes;
}
