import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { wholeContent } from '../items/wholeContent.ts';
import type { MailboxAccess } from '../subService.ts';
import { MAIL_PURPOSE } from './mailFolders.ts';
import { idOfKey } from './mailKeys.ts';
import { mayBeCut } from './wholeMime.ts';

/** Larger contents go to a file. */
const IN_MEMORY = 8 << 20;
/** More than any mailbox takes in one message. */
const MOST_BYTES = 2 ** 30;

/** The MIME form of a message, as the service makes it (fact 42). Throws what the service or the network answers instead. */
export async function messageContent({ graph, path, budget }: MailboxAccess, item: SourceItem, { scratch, signal }: FetchContext): Promise<Fetched> {
  const spool = join(scratch, `${createHash('sha256').update(item.key).digest('hex')}.mail`);
  const reply = await wholeContent(graph, `${path}/messages/${encodeURIComponent(idOfKey(item.key))}/$value`, {
    purpose: MAIL_PURPOSE, budget, signal, limits: { memoryBytes: IN_MEMORY, mostBytes: MOST_BYTES, spool },
  }, ({ start, end }) => mayBeCut(start, end));
  const { key, parent, name, kind, modified, change, meta } = item;
  const found = { key, parent, name, kind, size: reply.file?.length ?? reply.bytes.length, modified, change, meta };
  return reply.file === undefined ? { item: found, bytes: reply.bytes } : { item: found, file: reply.file.path };
}
