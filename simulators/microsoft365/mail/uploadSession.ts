import { jsonBody } from '../server/call.ts';
import type { Call, IncomingRequest } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Attachment } from '../mailbox/item.ts';
import { SMALL_ATTACHMENT } from './attachmentBody.ts';
import { putAttachments } from './putAttachments.ts';

/** Fact 47. */
const MOST_ATTACHMENT = 150 * 1024 * 1024;
/** Fact 66. */
const MOST_TASK_FILE = 25 * 1024 * 1024;
/** Each range is smaller than this. */
const RANGE_END = 4 * 1024 * 1024;
const LIFE_MS = 24 * 3_600_000;

/** An upload in pieces. It has an address of its own, which needs no sign-in. */
export interface UploadSession {
  readonly id: string;
  readonly appId: string;
  readonly userId: string;
  readonly size: number;
  readonly expires: number;
  readonly parts: Buffer[];
  received: number;
  /** Puts the attachment to its item; returns the address of it. */
  finish(bytes: Buffer): string;
}

/** Opens a session: `AttachmentItem` of Outlook, `attachmentInfo` of To Do. The item itself must exist (fact 48). */
export function openUpload(call: Call, found: FoundItem, taskFile: boolean): Record<string, unknown> {
  const { world } = call;
  const body = jsonBody(call);
  const given = (body['AttachmentItem'] ?? body['attachmentItem'] ?? body['attachmentInfo'] ?? body['AttachmentInfo']) as Record<string, unknown> | undefined;
  const { name, size, isInline, contentId, contentType } = given ?? {};
  if (typeof name !== 'string' || typeof size !== 'number') throw badRequest('The attachment needs a name and a size.', 'ErrorInvalidRequest');
  if (size < SMALL_ATTACHMENT) throw badRequest('The size of the attachment must not be below 3 MB.', 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize');
  if (size > (taskFile ? MOST_TASK_FILE : MOST_ATTACHMENT)) throw badRequest('The attachment is too large.', 'ErrorAttachmentSizeLimitExceeded');
  const mailbox = mailboxOf(call);
  const key = mailbox.newKey();
  const id = world.newId();
  const finish = (bytes: Buffer): string => {
    const attachment: Attachment = {
      key, name, type: taskFile ? 'taskFileAttachment' : 'fileAttachment', contentType: typeof contentType === 'string' ? contentType : 'application/octet-stream',
      isInline: isInline === true, contentId: typeof contentId === 'string' ? contentId : null, modified: world.clock.now(), size, bytes: () => bytes,
    };
    const current = mailbox.find(found.item.key, found.item.kind);
    if (current === undefined) throw new GraphFailure(404, 'ErrorItemNotFound', 'The item of this upload is gone.');
    putAttachments(call, { ...current, date: undefined }, [...current.item.attachments, attachment]);
    const itemId = mailbox.ids.item(current.item.key, current.item.moves, false);
    return `${world.origin}/v1.0/users/${call.params['user-id'] ?? ''}/messages/${itemId}/attachments/${mailbox.ids.attachment(found.item.key, key)}`;
  };
  world.uploads.set(id, { id, appId: call.app.id, userId: mailbox.exportId.slice(4).split('@')[0] ?? '', size, expires: world.clock.now() + LIFE_MS, parts: [], received: 0, finish });
  return {
    '@odata.context': `${world.origin}/v1.0/$metadata#microsoft.graph.uploadSession`,
    uploadUrl: `${world.origin}/outlook/AttachmentSessions/${id}?authtoken=${world.seal.seal(id)}`,
    expirationDateTime: new Date(world.clock.now() + LIFE_MS).toISOString(),
    nextExpectedRanges: ['0-'],
  };
}

/** PUT a range, GET the state, DELETE the session. */
export function answerUpload(session: UploadSession, request: IncomingRequest, drop: () => void): Reply {
  if (request.method === 'GET') return ok(stateOf(session));
  if (request.method === 'DELETE') {
    drop();
    return NO_CONTENT;
  }
  if (request.method !== 'PUT') throw new GraphFailure(405, 'Request_BadRequest', 'An upload takes PUT, GET and DELETE.');
  const { first, last, total } = readRange(request);
  if (total !== session.size) throw badRequest('The total of Content-Range is not the size of the session.', 'ErrorInvalidContentRange');
  if (last - first + 1 !== request.body.length) throw badRequest('Content-Length does not fit Content-Range.', 'ErrorInvalidContentRange');
  if (request.body.length >= RANGE_END) throw new GraphFailure(413, 'RequestEntityTooLarge', 'A range must be smaller than 4 MB.');
  if (first !== session.received) {
    throw new GraphFailure(416, 'InvalidRange', `The next expected range starts at ${session.received}.`);
  }
  session.parts.push(Buffer.from(request.body));
  session.received = last + 1;
  if (session.received < session.size) return ok(stateOf(session));
  drop();
  return { status: 201, headers: { Location: session.finish(Buffer.concat(session.parts)) } };
}

function readRange(request: IncomingRequest): { first: number; last: number; total: number } {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(request.headers['content-range'] ?? '') ?? [];
  if (first === undefined) throw badRequest('Content-Range is missing or malformed.', 'ErrorInvalidContentRange');
  return { first: Number(first), last: Number(last), total: Number(total) };
}

function stateOf(session: UploadSession): Record<string, unknown> {
  return { expirationDateTime: new Date(session.expires).toISOString(), nextExpectedRanges: [`${session.received}-`] };
}
