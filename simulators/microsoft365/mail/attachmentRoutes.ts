import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, itemNotFound } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import type { ODataQuery } from '../odata/query.ts';
import { shape } from '../odata/shape.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Attachment, Item } from '../mailbox/item.ts';
import { attachmentDocument } from '../mailbox/showItem.ts';
import { readAttachment } from './attachmentBody.ts';
import { putAttachments } from './putAttachments.ts';
import { openUpload } from './uploadSession.ts';
import { textOf } from '../odata/textOf.ts';

export interface AttachmentAccess {
  /** Path of the item: '/users/{user-id}/messages/{message-id}'. */
  readonly path: string;
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly upload: readonly string[];
  readonly find: (call: Call) => FoundItem;
  /** Undefined: any of Outlook's. Tasks take files alone. */
  readonly taskFiles?: boolean;
}

/** The routes of the attachments of one kind of item. */
export function attachmentRoutes(access: AttachmentAccess): Route[] {
  const { path, read, write, upload, find } = access;
  const id = access.taskFiles === true ? '{attachmentBase-id}' : '{attachment-id}';
  return [
    { method: 'GET', path: `${path}/attachments`, permissions: read, handle: (call) => list(call, access) },
    { method: 'POST', path: `${path}/attachments`, permissions: write, handle: (call) => add(call, access) },
    { method: 'POST', path: `${path}/attachments/createUploadSession`, permissions: upload, handle: (call) => created(openUpload(call, find(call), access.taskFiles === true)) },
    { method: 'GET', path: `${path}/attachments/${id}`, permissions: read, only: ['select', 'expand'], handle: (call) => show(call, access) },
    { method: 'GET', path: `${path}/attachments/${id}/$value`, permissions: read, only: [], handle: (call) => value(call, access) },
    { method: 'DELETE', path: `${path}/attachments/${id}`, permissions: write, handle: (call) => remove(call, access) },
  ];
}

function list(call: Call, access: AttachmentAccess): Reply {
  const { item } = access.find(call);
  const documents = item.attachments.map((attachment) => attachmentDocument(mailboxOf(call), item, attachment, access.taskFiles !== true));
  return answerList(call, arrayListing('attachment', documents, (document, query) => shapeAttachment(document, query, attachmentById(item, document))));
}

function show(call: Call, access: AttachmentAccess): Reply {
  const { item } = access.find(call);
  const attachment = attachmentOf(call, item);
  return ok(shapeAttachment(attachmentDocument(mailboxOf(call), item, attachment, true), call.query, attachment));
}

/** An item attachment's own item is shown when it is expanded by its type's name. */
function shapeAttachment(document: Properties, query: ODataQuery, attachment: Attachment | undefined): Properties {
  const expand = Object.fromEntries(query.expand.filter(({ name }) => /^microsoft\.graph\.itemattachment\/item$/i.test(name)).map(({ name }) => [name, () => undefined]));
  const shaped = shape({ type: 'attachment', expand }, document, withContentNames(query));
  return Object.keys(expand).length > 0 && attachment?.item !== undefined ? { ...shaped, item: attachment.item } : shaped;
}

/** contentBytes and contentId belong to the derived type, but may be selected. */
function withContentNames(query: ODataQuery): ODataQuery {
  return query.select === undefined ? query : { ...query, select: query.select.filter((name) => !/^(microsoft\.graph\.fileAttachment\/)?content(Bytes|Id|Location)$/.test(name)) };
}

function value(call: Call, access: AttachmentAccess): Reply {
  const attachment = attachmentOf(call, access.find(call).item);
  const type = attachment.type === 'itemAttachment' ? 'message/rfc822' : attachment.contentType ?? 'application/octet-stream';
  return { status: 200, bytes: attachment.bytes(), headers: { 'Content-Type': type } };
}

function add(call: Call, access: AttachmentAccess): Reply {
  const mailbox = mailboxOf(call);
  const body = jsonBody(call);
  const found = access.find(call);
  const isTaskFile = textOf(body['@odata.type']).endsWith('taskFileAttachment');
  if (isTaskFile !== (access.taskFiles === true)) throw badRequest('The @odata.type of the attachment does not fit the item.', 'ErrorInvalidRequest');
  const attachment = readAttachment(body, mailbox.newKey(), call.world.clock.now());
  putAttachments(call, found, [...found.item.attachments, attachment]);
  return created(attachmentDocument(mailbox, found.item, attachment, !isTaskFile));
}

function remove(call: Call, access: AttachmentAccess): Reply {
  const found = access.find(call);
  const attachment = attachmentOf(call, found.item);
  putAttachments(call, found, found.item.attachments.filter((other) => other.key !== attachment.key));
  return NO_CONTENT;
}

function attachmentOf(call: Call, item: Item): Attachment {
  const id = call.params['attachment-id'] ?? param(call, 'attachmentBase-id');
  const target = mailboxOf(call).ids.read(id);
  if (target === undefined) throw badRequest('Id is malformed.', 'ErrorInvalidIdMalformed');
  const attachment = target.kind === 'attachment' && target.itemKey === item.key ? item.attachments.find(({ key }) => key === target.key) : undefined;
  if (attachment === undefined) throw itemNotFound();
  return attachment;
}

function attachmentById(item: Item, document: Properties): Attachment | undefined {
  return item.attachments.find(({ name, size }) => name === document['name'] && size === document['size']);
}
