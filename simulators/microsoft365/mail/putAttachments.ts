import type { Call } from '../server/call.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Attachment } from '../mailbox/item.ts';

/** Replaces an item's attachments: a change of the item, too. */
export function putAttachments(call: Call, found: FoundItem, attachments: readonly Attachment[]): void {
  const hasAttachments = attachments.some(({ isInline }) => !isInline);
  const { item, folder } = found;
  mailboxOf(call).put(folder, {
    ...item, attachments, version: item.version + 1, modified: call.world.clock.now(), properties: { ...item.properties, hasAttachments },
  });
}
