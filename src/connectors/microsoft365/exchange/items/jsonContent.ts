import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpReply } from '../../../../rest/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { oddIfMissing } from '../../graph/graphErrors.ts';
import type { Entry } from '../../graph/pages.ts';
import type { MailboxAccess } from '../subService.ts';
import { canonicalJson } from './documents.ts';
import { DocumentWriter } from './documentWriter.ts';
import { isCutAttachment, wholeContent } from './wholeContent.ts';

/** Larger attachments go through a file. */
const IN_MEMORY = 1 << 20;
/** More than any mailbox takes in one item. */
const MOST_BYTES = 2 ** 30;
/** A multiple of three, so that no base64 has padding but the last. */
const PIECE = 3 << 18;

/** What an answer lacks where an attachment is not found: its item is there, so the next run looks again. */
export const LISTED_ATTACHMENT = 'an attachment that it had just listed';

/** Something that belongs to an item and has bytes of its own. */
export interface Attached {
  /** What the service tells of it. */
  readonly entry: Entry;
  /** Where its bytes are; undefined where it has none. */
  readonly path: string | undefined;
}

/** A list at the end of a document, whose entries carry bytes. */
export interface AttachedList {
  readonly name: string;
  readonly entries: readonly Attached[];
}

export interface JsonContentOptions {
  readonly access: MailboxAccess;
  readonly purpose: string;
  readonly context: FetchContext;
}

/**
 * The content of an item whose form is JSON: the document as the service gives it, and behind its properties lists with the bytes of what belongs to it, as
 * `contentBytes` in base64, which is the form in which the service takes them back. Bytes go through files, one attachment after the other.
 */
export async function jsonContent(item: SourceItem, document: Entry, lists: readonly AttachedList[], options: JsonContentOptions): Promise<Fetched> {
  const number = createHash('sha256').update(item.key).digest('hex');
  const writer = new DocumentWriter(join(options.context.scratch, `${number}.json`));
  const filled = lists.filter(({ entries }) => entries.length > 0);
  const names = new Set(filled.map(({ name }) => name));
  const own = Object.fromEntries(Object.entries(document).filter(([name]) => !names.has(name)));
  try {
    await writer.write(canonicalJson(own).slice(0, -1));
    for (const { name, entries } of filled) {
      await writer.write(`,${JSON.stringify(name)}:[`);
      for (const [place, attached] of entries.entries()) {
        await writer.write(place === 0 ? '' : ',');
        await writeAttached(writer, attached, options, join(options.context.scratch, `${number}.part`));
      }
      await writer.write(']');
    }
    await writer.write('}');
    const { key, parent, name, kind, modified, change, meta } = item;
    const found = { key, parent, name, kind, size: writer.length, modified, change, meta };
    return { item: found, ...await writer.finish() };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function writeAttached(writer: DocumentWriter, { entry, path }: Attached, { access, purpose, context }: JsonContentOptions, spool: string): Promise<void> {
  const shown = Object.fromEntries(Object.entries(entry).filter(([name]) => name !== 'contentBytes' || path === undefined));
  if (path === undefined) {
    await writer.write(canonicalJson(shown));
    return;
  }
  const { graph, budget } = access;
  const limits = { memoryBytes: IN_MEMORY, mostBytes: MOST_BYTES, spool };
  const reply = await wholeContent(graph, path, { purpose, budget, signal: context.signal, limits }, (ends) => isCutAttachment(entry, ends))
    .catch(oddIfMissing(LISTED_ATTACHMENT));
  await writer.write(`${canonicalJson(shown).slice(0, -1)},"contentBytes":"`);
  await writeBase64(writer, reply);
  await writer.write('"}');
}

async function writeBase64(writer: DocumentWriter, { bytes, file }: HttpReply): Promise<void> {
  if (file === undefined) {
    await writer.write(bytes.toString('base64'));
    return;
  }
  try {
    let rest = Buffer.alloc(0);
    for await (const piece of createReadStream(file.path, { highWaterMark: PIECE }) as AsyncIterable<Buffer>) {
      const whole = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const end = whole.length - (whole.length % 3);
      await writer.write(whole.toString('base64', 0, end));
      rest = Buffer.from(whole.subarray(end));
    }
    await writer.write(rest.toString('base64'));
  } finally {
    await rm(file.path, { force: true });
  }
}
