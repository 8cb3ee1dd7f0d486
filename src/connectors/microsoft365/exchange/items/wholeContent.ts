import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { truncated, type HttpLimits, type HttpReply } from '../../../../rest/index.ts';
import type { GraphClient, GraphOptions } from '../../graph/graphClient.ts';
import type { Entry } from '../../graph/pages.ts';

/** Of a content, what tells whether it may have been cut. */
export interface ContentEnds {
  /** The first bytes, or all of them. */
  readonly start: Buffer;
  /** The last bytes; of a short content those are the first ones, too. */
  readonly end: Buffer;
  readonly length: number;
}

/** Behind the end of a multipart there may be a little more. */
const END = 4096;
/** Readings of a content that looks cut, until two are the same. */
const MOST_READINGS = 4;
/** The service counts what it keeps of an attachment with its bytes, so it tells of a little more than there are. */
const COUNTED_BESIDES = 1024;

/**
 * A content of which nothing on the wire tells that it is whole: one that looks cut is read again, and taken as it is where two readings are alike. Throws what the service or the
 * network answers, and 'http/truncated' where each reading ends at another place.
 */
export async function wholeContent(graph: GraphClient, path: string, options: GraphOptions & { readonly limits: Partial<HttpLimits> }, looksCut: (ends: ContentEnds) => boolean): Promise<HttpReply> {
  let before: string | undefined;
  for (let reading = 0; reading < MOST_READINGS; reading++) {
    const reply = await graph.content(path, options);
    if (!looksCut(await endsOf(reply))) return reply;
    const now = await digestOf(reply);
    if (now === before) return reply;
    before = now;
  }
  throw truncated('Microsoft Graph', 'each reading of a content ended at another place');
}

/** Whether the bytes of an attachment may have been cut, by what the service tells of it. */
export function isCutAttachment({ size, '@odata.type': type }: Entry, ends: ContentEnds): boolean {
  // What is counted of an attached item is another form of it than the one that is read.
  const isItem = typeof type === 'string' && type.endsWith('itemAttachment');
  return isCutPicture(ends) || (!isItem && typeof size === 'number' && ends.length + COUNTED_BESIDES < size);
}

/** Whether a PNG or JPEG picture lacks its end; of other contents nothing is known. */
export function isCutPicture({ start, end }: ContentEnds): boolean {
  if (start.subarray(1, 4).equals(Buffer.from('PNG'))) return !end.includes('IEND', undefined, 'latin1');
  // Some cameras and programs pad the end.
  return start[0] === 0xff && start[1] === 0xd8 && !end.subarray(-64).includes(Buffer.from([0xff, 0xd9]));
}

async function endsOf({ bytes, file }: HttpReply): Promise<ContentEnds> {
  if (file === undefined) return { start: bytes, end: bytes.subarray(-END), length: bytes.length };
  const handle = await open(file.path);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(END), 0, END, Math.max(0, file.length - END));
    return { start: file.start, end: buffer.subarray(0, bytesRead), length: file.length };
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
