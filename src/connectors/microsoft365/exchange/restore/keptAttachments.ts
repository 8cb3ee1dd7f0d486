import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { isCutAttachment, wholeContent } from '../items/wholeContent.ts';
import { attachFiles, type AttachmentList } from './attachFiles.ts';
import type { Losses } from './losses.ts';
import { fileAttachment, type NewAttachment } from './newAttachment.ts';
import type { Writing } from './partWriting.ts';

/** Facts 47 and 66, in MB. */
const LARGEST = 150;
const LARGEST_OF_TASK = 25;

/** What tells an attachment from others of its item without its bytes. */
export function attachmentMark(attachment: Entry): string {
  return JSON.stringify([textOf(attachment, 'name'), attachment['size'] ?? 0]);
}

/** Attachments of a kept item as Graph takes them; what can not be given back is named. */
function newAttachments(entries: readonly Entry[], isTask: boolean, losses: Losses): NewAttachment[] {
  const largest = isTask ? LARGEST_OF_TASK : LARGEST;
  return entries.flatMap((entry) => {
    const name = textOf(entry, 'name') || 'attachment';
    const { contentBytes } = entry;
    if (typeof contentBytes !== 'string') {
      losses.add('attachment-lost', `the attachment "${name}", which is a link: Graph does not take links`);
      return [];
    }
    const bytes = Buffer.from(contentBytes, 'base64');
    if (bytes.length > largest * 1024 * 1024) {
      losses.add('attachment-lost', `the attachment "${name}", which is larger than Microsoft 365 takes (${largest} MB)`);
      return [];
    }
    const common = { inline: entry['isInline'] === true, contentId: textOf(entry, 'contentId'), bytes };
    if (!textOf(entry, '@odata.type').endsWith('itemAttachment')) return [fileAttachment({ ...common, name, type: textOf(entry, 'contentType') || 'application/octet-stream' }, isTask)];
    const file = name.replace(/(\.eml)?$/i, '.eml');
    losses.add('item-as-file', `that an item in it was one: it is a file ("${file}") now, with all that it held`);
    return [fileAttachment({ ...common, name: file, type: 'message/rfc822' })];
  });
}

/** Puts those of the kept attachments to an item that it lacks. `there`: those that it has; what of them came to it since stays, and is named. */
export async function attachMissing(list: AttachmentList, kept: readonly Entry[], there: readonly Entry[], writing: Writing): Promise<void> {
  const { access, losses, signal } = writing;
  const others = [...there];
  const missing: Entry[] = [];
  for (const entry of kept) {
    const same = others.find((one) => attachmentMark(one) === attachmentMark(entry)) ?? await sameBytes(list, entry, others, writing);
    if (same === undefined) missing.push(entry);
    else others.splice(others.indexOf(same), 1);
  }
  if (others.length > 0) losses.add('attachment-kept', `nothing, but it keeps what was attached to it since: ${others.map((entry) => `"${textOf(entry, 'name')}"`).join(', ')}`);
  await attachFiles(access, list, newAttachments(missing, list.ofTask === true, losses), there.length, { losses, signal });
}

/** The store may count the bytes of an attachment otherwise once it was written anew: so one of the same name is compared by its bytes. */
async function sameBytes({ at, purpose }: AttachmentList, { name, contentBytes }: Entry, others: readonly Entry[], { access: { graph, budget }, signal }: Writing): Promise<Entry | undefined> {
  if (typeof contentBytes !== 'string') return undefined;
  for (const other of others.filter((one) => one['name'] === name)) {
    const { bytes } = await wholeContent(graph, `${at}/${encodeURIComponent(idOf(other))}/$value`, { purpose, budget, signal, limits: { mostBytes: LARGEST * 1024 * 1024 } }, (ends) => isCutAttachment(other, ends));
    if (bytes.equals(Buffer.from(contentBytes, 'base64'))) return other;
  }
  return undefined;
}
