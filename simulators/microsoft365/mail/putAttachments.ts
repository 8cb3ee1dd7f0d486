import type { Call } from '../server/call.ts';
import { itemNotFound } from '../server/graphFailure.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Attachment } from '../mailbox/item.ts';

/** Replaces an item's attachments: a change of the item, too. */
export function putAttachments(call: Call, found: FoundItem, attachments: readonly Attachment[]): void {
  const hasAttachments = attachments.some(({ isInline }) => !isInline);
  const { folder, date } = found;
  if (date !== undefined) {
    putToOccurrence(call, found, date, attachments);
    return;
  }
  const { item } = found;
  mailboxOf(call).put(folder, {
    ...item, attachments, version: item.version + 1, modified: call.world.clock.now(), properties: { ...item.properties, hasAttachments },
  });
}

/** An occurrence that gets an attachment is an exception from then on; its series keeps its own. */
function putToOccurrence(call: Call, { item: { key }, folder }: FoundItem, date: string, attachments: readonly Attachment[]): void {
  const mailbox = mailboxOf(call);
  const current = mailbox.find(key, 'event')?.item;
  if (current?.series === undefined) throw itemNotFound();
  const modified = call.world.clock.now();
  const before = current.series.exceptions.get(date);
  const exception = { ...before, properties: { ...before?.properties, hasAttachments: attachments.some(({ isInline }) => !isInline) }, version: (before?.version ?? 0) + 1, modified, attachments };
  const series = { exceptions: new Map(current.series.exceptions).set(date, exception), cancelled: current.series.cancelled };
  mailbox.put(folder, { ...current, version: current.version + 1, modified, series });
}
