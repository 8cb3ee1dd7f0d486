import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import type { Properties } from '../odata/list.ts';
import type { Attachment } from '../mailbox/item.ts';
import { textOf } from '../odata/textOf.ts';

/** Fact 47. */
export const SMALL_ATTACHMENT = 3 * 1024 * 1024;

/** Reads one attachment of a body: a file with its bytes, an item, or a link. */
export function readAttachment(body: Properties, key: string, now: number): Attachment {
  const type = textOf(body['@odata.type']).replace(/^#?microsoft\.graph\./, '');
  const { name, contentType, contentId, isInline } = body;
  if (typeof name !== 'string' || name === '') throw badRequest('An attachment needs a name.', 'ErrorRequiredPropertyMissing');
  const common = {
    key, name, modified: now, isInline: isInline === true, contentId: typeof contentId === 'string' ? contentId : null, contentType: typeof contentType === 'string' ? contentType : null,
  };
  if (type === 'itemAttachment') {
    const item = { id: '', ...(body['item'] as Properties | undefined) };
    const bytes = Buffer.from(JSON.stringify(item));
    return { ...common, type, size: bytes.length, bytes: () => bytes, item };
  }
  if (type === 'referenceAttachment') return { ...common, type, size: 0, bytes: () => Buffer.alloc(0) };
  if (type !== 'fileAttachment' && type !== 'taskFileAttachment') throw badRequest('The @odata.type of the attachment is missing or not known.', 'ErrorInvalidRequest');
  const bytes = fromBase64(body['contentBytes']);
  if (bytes.length >= SMALL_ATTACHMENT) {
    throw new GraphFailure(413, 'ErrorMessageSizeExceeded', 'The attachment is 3 MB or larger: it needs an upload session.');
  }
  return { ...common, type, contentType: common.contentType ?? 'application/octet-stream', size: bytes.length, bytes: () => bytes };
}

function fromBase64(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw badRequest('contentBytes is missing or not base64.', 'ErrorInvalidRequest');
  return Buffer.from(value, 'base64');
}
