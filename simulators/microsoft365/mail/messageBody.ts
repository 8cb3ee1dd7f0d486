import { badRequest } from '../server/graphFailure.ts';
import type { Properties } from '../odata/list.ts';
import { isPropertyOf } from '../odata/typeProperties.ts';
import type { ExtendedProperty } from '../mailbox/item.ts';
import { textOfHtml } from '../seed/texts.ts';
import { textOf } from '../odata/textOf.ts';

/** Set by the service alone: a create ignores them. */
const READ_ONLY = new Set(['id', 'createdDateTime', 'lastModifiedDateTime', 'changeKey', 'bodyPreview', 'hasAttachments', 'isDraft', 'parentFolderId', 'receivedDateTime', 'sentDateTime',
  'webLink', 'conversationId', 'uniqueBody', 'attachments', 'singleValueExtendedProperties', 'multiValueExtendedProperties']);
/** Of a message that is no draft these alone can be changed. */
const ALWAYS_CHANGEABLE = new Set(['categories', 'isRead', 'flag', 'importance', 'inferenceClassification', 'isDeliveryReceiptRequested', 'isReadReceiptRequested',
  'singleValueExtendedProperties', 'multiValueExtendedProperties']);
const FLAGS_TAG = 'integer 0xe07';

/** The writable properties of a message's body, in the service's own form. Unknown ones are 400. */
export function readMessageBody(body: Properties): Properties {
  const read: Properties = {};
  for (const [name, value] of Object.entries(body)) {
    if (!isPropertyOf('message', name)) throw badRequest(`The property '${name}' does not exist on type 'microsoft.graph.message'.`, 'RequestBodyRead');
    if (!READ_ONLY.has(name) && !name.includes('@')) read[name] = normal(name, value);
  }
  const headers = (read['internetMessageHeaders'] ?? []) as { name?: string }[];
  if (headers.some(({ name }) => !/^x-/i.test(name ?? ''))) {
    throw badRequest("The internet message header name should start with 'x-' or 'X-'.", 'InvalidInternetMessageHeader');
  }
  const content = (read['body'] as { contentType?: string; content?: string } | undefined);
  if (content !== undefined) read['bodyPreview'] = previewOf(content);
  return read;
}

export function previewOf({ contentType, content = '' }: { contentType?: string; content?: string }): string {
  return (contentType === 'html' ? textOfHtml(content) : content).slice(0, 255);
}

/** Fact 44: after its creation nothing makes a draft of a message, or no draft. */
export function refuseLateChanges(body: Properties, isDraft: boolean, extended: readonly ExtendedProperty[]): void {
  if ('isDraft' in body || extended.some(({ id }) => id.toLowerCase() === FLAGS_TAG)) {
    throw badRequest('The property IsDraft cannot be set on a saved message.', 'ErrorInvalidPropertySet');
  }
  const wrong = Object.keys(body).find((name) => !isDraft && !ALWAYS_CHANGEABLE.has(name) && !READ_ONLY.has(name) && !name.includes('@'));
  if (wrong !== undefined) throw badRequest(`The property '${wrong}' can be changed on drafts only.`, 'ErrorInvalidPropertySet');
}

/** Fact 45: flags and times that a create takes from extended properties. */
export function timesAndFlags(extended: readonly ExtendedProperty[]): { flags?: number; received?: number; sent?: number } {
  const valueOf = (id: string): string | undefined => {
    const value = extended.find((property) => property.id.toLowerCase() === id)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  const time = (id: string): number | undefined => {
    const value = valueOf(id);
    if (value === undefined) return undefined;
    const parsed = Date.parse(value);
    if (Number.isNaN(parsed)) throw badRequest(`'${value}' is no SystemTime.`, 'ErrorInvalidPropertyRequest');
    return parsed;
  };
  const flags = valueOf(FLAGS_TAG);
  const [received, sent] = [time('systemtime 0xe06'), time('systemtime 0x39')];
  return {
    ...(flags === undefined ? {} : { flags: Number(flags) }), ...(received === undefined ? {} : { received }), ...(sent === undefined ? {} : { sent }),
  };
}

/** Enumerations come in any case and are shown in the service's; bodies in HTML are wrapped as the service wraps them. */
function normal(name: string, value: unknown): unknown {
  if (name === 'importance' && typeof value === 'string') return value.toLowerCase();
  if (name === 'body' && typeof value === 'object' && value !== null) return normalBody(value as Properties);
  if (name.endsWith('Recipients') && !Array.isArray(value)) throw badRequest(`${name} is a list of recipients.`);
  return value;
}

export function normalBody(value: Properties): { contentType: string; content: string } {
  const contentType = textOf(value['contentType'], 'text').toLowerCase();
  if (contentType !== 'html' && contentType !== 'text') throw badRequest(`'${contentType}' is no type of a body.`);
  const content = textOf(value['content']);
  const wrapped = contentType === 'text' || /<html/i.test(content) ? content : `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>${content}</body></html>`;
  return { contentType, content: wrapped };
}
