import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { truncated, type HttpReply } from '../../../../rest/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import type { MailboxAccess } from '../subService.ts';
import { MAIL_PURPOSE } from './mailFolders.ts';
import { idOfKey } from './mailKeys.ts';
import { mayBeCut } from './wholeMime.ts';

/** Larger contents go to a file. */
const IN_MEMORY = 8 << 20;
/** More than any mailbox takes in one message. */
const MOST_BYTES = 2 ** 30;
/** Behind the end of a multipart there may be a little more. */
const END = 4096;
/** Readings of a message that looks cut, until two are the same. */
const MOST_READINGS = 4;

/** The MIME form of a message, as the service makes it (fact 42). Throws what the service or the network answers instead. */
export async function messageContent(access: MailboxAccess, item: SourceItem, context: FetchContext): Promise<Fetched> {
  let before: string | undefined;
  for (let reading = 0; reading < MOST_READINGS; reading++) {
    const reply = await read(access, item, context);
    const body = reply.file ?? { start: reply.bytes, length: reply.bytes.length };
    if (mayBeCut(body.start, await endOf(reply))) {
      const now = await digestOf(reply);
      if (now !== before) {
        before = now;
        continue;
      }
    }
    const { key, parent, name, kind, modified, change, meta } = item;
    const found = { key, parent, name, kind, size: body.length, modified, change, meta };
    return reply.file === undefined ? { item: found, bytes: reply.bytes } : { item: found, file: reply.file.path };
  }
  throw truncated('Microsoft Graph', 'each reading of the message ended at another place');
}

async function read({ graph, path, budget }: MailboxAccess, item: SourceItem, { scratch, signal }: FetchContext): Promise<HttpReply> {
  const spool = join(scratch, `${createHash('sha256').update(item.key).digest('hex')}.mail`);
  return await graph.content(`${path}/messages/${encodeURIComponent(idOfKey(item.key))}/$value`, {
    purpose: MAIL_PURPOSE, budget, signal, limits: { memoryBytes: IN_MEMORY, mostBytes: MOST_BYTES, spool },
  });
}

async function endOf({ bytes, file }: HttpReply): Promise<Buffer> {
  if (file === undefined) return bytes.subarray(-END);
  const handle = await open(file.path);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(END), 0, END, Math.max(0, file.length - END));
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function digestOf({ bytes, file }: HttpReply): Promise<string> {
  const hash = createHash('sha256');
  if (file === undefined) hash.update(bytes);
  else for await (const piece of createReadStream(file.path) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest('hex');
}
