import { HoldfastError, isHoldfastError } from '../../../../domain/index.ts';
import type { GraphCall, GraphClient } from '../../graph/graphClient.ts';
import { hasCode, oddAnswer } from '../../graph/graphErrors.ts';
import { entriesOf, linkOf, textOf } from '../../graph/pages.ts';
import type { TargetAccess } from '../subTarget.ts';
import { doOnce } from './doOnce.ts';
import type { Losses } from './losses.ts';
import { asDocument, type NewAttachment } from './newAttachment.ts';

/** Fact 47: each range is smaller than 4 MB. */
const RANGE = 12 * 320 * 1024;
const MOST_ATTACHMENTS = 1000;

/** Where attachments are put. */
export interface AttachmentList {
  /** Path of the list: '/users/…/attachments'. */
  readonly at: string;
  /** For sentences. */
  readonly purpose: string;
  /** Those of a task, which has names of its own for the same (fact 66). */
  readonly ofTask?: true;
}

/**
 * Puts attachments to an item, one by one in their order, each once: where an answer was lost, the number of those that are there tells whether it arrived.
 * `there`: how many the item has already. What is refused is lost, and named.
 */
export async function attachFiles(access: TargetAccess, list: AttachmentList, attachments: readonly NewAttachment[], there: number, context: { readonly losses: Losses; readonly signal: AbortSignal }): Promise<void> {
  const { losses, signal } = context;
  let count = there;
  for (const attachment of attachments) {
    const before = count;
    try {
      await doOnce(access, signal, {
        act: async () => await attach(access, list, attachment, signal),
        look: async () => (await countAttachments(access, list, signal) > before ? true : undefined),
      });
      count++;
    } catch (error) {
      if (!hasCode(error, 'refused')) throw error;
      losses.add('attachment-lost', `the attachment "${attachment.name}": ${error.message}`);
    }
  }
}

async function attach(access: TargetAccess, list: AttachmentList, attachment: NewAttachment, signal: AbortSignal): Promise<true> {
  const { graph, budget } = access;
  const { at, purpose } = list;
  const { document, bytes } = attachment;
  if (document !== undefined) {
    await graph.post(at, document, { purpose, budget, signal, repeatable: false });
    return true;
  }
  const session = await graph.post(`${at}/createUploadSession`, sessionOf(attachment, list), { purpose, budget, signal, repeatable: true }).catch((error: unknown) => {
    // Between a million bytes' and a mebibyte's reading of "3 MB" either way may be the right one.
    if (hasCode(error, 'refused') && error.data['reason'] === 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize') return undefined;
    throw error;
  });
  if (session === undefined) return await attach(access, list, { ...attachment, document: asDocument(attachment, list.ofTask === true) }, signal);
  const address = textOf(session, 'uploadUrl');
  if (address === '') throw oddAnswer('an address for an upload');
  await upload(access, address, bytes, { purpose, signal });
  return true;
}

function sessionOf({ name, type, inline, contentId, size }: NewAttachment, { ofTask }: AttachmentList): Readonly<Record<string, unknown>> {
  const item = { attachmentType: 'file', name, size, contentType: type };
  return ofTask === true ? { attachmentInfo: item } : { AttachmentItem: { ...item, isInline: inline, ...(contentId === '' ? {} : { contentId }) } };
}

/** Sends the ranges that the session expects, until it has all. */
async function upload({ graph, budget }: TargetAccess, address: string, bytes: Uint8Array, { purpose, signal }: Pick<GraphCall, 'purpose' | 'signal'>): Promise<void> {
  const options = { purpose, budget, signal };
  // More than there are ranges, each lost once.
  const most = Math.ceil(bytes.length / RANGE) * 2 + 4;
  for (let at = 0, sent = 0; sent < most; sent++) {
    const end = Math.min(at + RANGE, bytes.length);
    const headers = { 'content-type': 'application/octet-stream', 'content-range': `bytes ${at}-${end - 1}/${bytes.length}` };
    try {
      const reply = await graph.transfer('PUT', address, { ...options, headers, body: Uint8Array.from(bytes.subarray(at, end)) });
      if (reply.status === 201) return;
      at = end;
    } catch (error) {
      signal.throwIfAborted();
      // A range that was taken though its answer was lost is refused the second time: the session knows how far it is.
      if (hasCode(error, 'refused') && error.data['status'] === 416) at = await expected(graph, address, options);
      else throw ended(error);
    }
  }
  throw oddAnswer('an end of an upload');
}

/** With its last range a session ends: when that one's answer is lost, nobody knows whether the attachment is there. */
function ended(error: unknown): unknown {
  if (!isHoldfastError(error) || !hasCode(error, 'not-found', 'token-refused')) return error;
  return new HoldfastError(error.code, 'resume', error.message, { data: error.data, cause: error });
}

async function expected(graph: GraphClient, address: string, options: GraphCall): Promise<number> {
  const { bytes } = await graph.transfer('GET', address, options).catch((error: unknown) => {
    throw ended(error);
  });
  const { nextExpectedRanges, NextExpectedRanges = nextExpectedRanges } = readState(bytes);
  const [first] = Array.isArray(NextExpectedRanges) ? NextExpectedRanges as unknown[] : [];
  const start = /^(\d+)-/.exec(String(first))?.[1];
  if (start === undefined) throw oddAnswer('a state of an upload');
  return Number(start);
}

function readState(bytes: Buffer): { readonly nextExpectedRanges?: unknown; readonly NextExpectedRanges?: unknown } {
  try {
    return JSON.parse(bytes.toString('utf8')) as { nextExpectedRanges?: unknown };
  } catch {
    throw oddAnswer('a state of an upload');
  }
}

async function countAttachments({ graph, budget }: TargetAccess, { at, purpose }: AttachmentList, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (let next: string | undefined = `${at}?$select=id,name&$top=100`; next !== undefined && count < MOST_ATTACHMENTS;) {
    const document: Readonly<Record<string, unknown>> = await graph.get(next, { purpose, budget, signal });
    count += entriesOf(document).length;
    next = linkOf(document, '@odata.nextLink');
  }
  return count;
}
