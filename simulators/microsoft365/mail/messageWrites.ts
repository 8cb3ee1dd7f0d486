import PostalMime from 'postal-mime';
import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { mergeExtended, readExtended } from '../mailbox/extendedProperties.ts';
import { findFolder, mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { readAttachment } from './attachmentBody.ts';
import { readMessageBody, refuseLateChanges } from './messageBody.ts';
import { messageOf } from './messageReads.ts';
import { showMessage } from './messageView.ts';
import { newMessage } from './newMessage.ts';
import { propertiesOfMime } from './mimeImport.ts';

const WRITE = PERMISSIONS.writeMail;

export const messageWrites: readonly Route[] = [
  { method: 'POST', path: '/users/{user-id}/messages', permissions: WRITE, handle: createDraft },
  { method: 'POST', path: '/users/{user-id}/mailFolders/{mailFolder-id}/messages', permissions: WRITE, handle: createInFolder },
  ...both('', [
    { method: 'PATCH', permissions: WRITE, handle: patch },
    { method: 'DELETE', permissions: WRITE, handle: (call: Call) => remove(call, messageOf(call)) },
  ]),
  ...both('/move', [{ method: 'POST', permissions: WRITE, handle: (call: Call) => relocate(call, false) }]),
  ...both('/copy', [{ method: 'POST', permissions: WRITE, handle: (call: Call) => relocate(call, true) }]),
  ...both('/permanentDelete', [{ method: 'POST', permissions: WRITE, handle: (call: Call) => purge(call, messageOf(call)) }]),
];

/** A message is reached by itself and through its folder. */
function both(suffix: string, routes: readonly Omit<Route, 'path'>[]): Route[] {
  const paths = ['/users/{user-id}/messages/{message-id}', '/users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}'];
  return paths.flatMap((path) => routes.map((route) => ({ ...route, path: `${path}${suffix}` })));
}

/** JSON, or fact 43: MIME in base64 as text/plain. Both make a draft in Drafts, unless JSON carries flags (fact 45). */
async function createDraft(call: Call): Promise<Reply> {
  const mailbox = mailboxOf(call);
  const drafts = findFolder(mailbox, 'drafts');
  if (!/^text\/plain\b/i.test(call.request.headers['content-type'] ?? '')) return createFromJson(call, mailbox, drafts);
  const text = Buffer.from(call.request.body).toString('latin1').replace(/\s/g, '');
  if (text === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw badRequest('The MIME content is not valid base64.', 'ErrorMimeContentInvalidBase64String');
  const parsed = await PostalMime.parse(Buffer.from(text, 'base64'));
  const { properties, attachments } = propertiesOfMime(parsed, call.world.clock.now());
  const item = newMessage(mailbox, { ...properties, isDraft: true, isRead: true }, { now: call.world.clock.now(), attachments });
  mailbox.put(drafts, item);
  return created(showMessage(call, mailbox, item));
}

function createInFolder(call: Call): Reply {
  const mailbox = mailboxOf(call);
  if (/^text\/plain\b/i.test(call.request.headers['content-type'] ?? '')) {
    throw new GraphFailure(415, 'UnsupportedMediaType', 'MIME is taken by /messages only, not by a folder.');
  }
  return createFromJson(call, mailbox, findFolder(mailbox, param(call, 'mailFolder-id'), 'IPF.Note'));
}

function createFromJson(call: Call, mailbox: Mailbox, folder: Folder): Reply {
  if (folder.wellKnown === 'searchfolders') throw badRequest('Items cannot be created in a search folder.', 'ErrorCreateItemAccessDenied');
  const body = jsonBody(call);
  const properties = readMessageBody(body);
  const attachments = ((body['attachments'] ?? []) as Record<string, unknown>[]).map((entry, place) => readAttachment(entry, `c${place}`, call.world.clock.now()));
  const item = newMessage(mailbox, properties, { now: call.world.clock.now(), attachments, extended: readExtended(body) });
  mailbox.put(folder, item);
  return created(showMessage(call, mailbox, item));
}

function patch(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const { item, folder } = messageOf(call);
  const body = jsonBody(call);
  const extended = readExtended(body);
  refuseLateChanges(body, item.properties['isDraft'] === true, extended);
  refuseOldVersion(call, item);
  const changed: Item = {
    ...item, version: item.version + 1, modified: call.world.clock.now(),
    properties: { ...item.properties, ...readMessageBody(body) }, extended: mergeExtended(item.extended, extended),
  };
  mailbox.put(folder, changed);
  return ok(showMessage(call, mailbox, changed));
}

function refuseOldVersion(call: Call, item: Item): void {
  const condition = call.request.headers['if-match'];
  if (condition === undefined || condition === '*') return;
  const mailbox = mailboxOf(call);
  const current = Buffer.from(`${mailbox.owner.index}:${item.key}:${item.version}`).toString('base64');
  if (!condition.includes(current)) {
    throw new GraphFailure(412, 'ErrorIrresolvableConflict', 'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.');
  }
}

/** To Deleted Items; from there to Recoverable Items; from there not by this call (fact 50). */
function remove(call: Call, { item, folder }: FoundItem): Reply {
  const mailbox = mailboxOf(call);
  if (folder.wellKnown?.startsWith('recoverableitems') === true) {
    throw new GraphFailure(403, 'ErrorCannotDeleteObject', 'The object cannot be deleted.');
  }
  const isInBin = folder.wellKnown === 'deleteditems';
  mailbox.move(item, folder, findFolder(mailbox, isInBin ? 'recoverableitemsdeletions' : 'deleteditems'), call.world.clock.now());
  return NO_CONTENT;
}

/** For good, unless the mailbox is on hold: then the item is kept where no route of mail reaches it. */
export function purge(call: Call, { item, folder }: FoundItem): Reply {
  const mailbox = mailboxOf(call);
  const purges = mailbox.folderByWellKnown('recoverableitemspurges');
  if (mailbox.onHold && purges !== undefined) mailbox.move(item, folder, purges, call.world.clock.now());
  else mailbox.drop(item.key);
  return NO_CONTENT;
}

function relocate(call: Call, copy: boolean): Reply {
  const mailbox = mailboxOf(call);
  const { item, folder } = messageOf(call);
  const body = jsonBody(call);
  const destination = body['destinationId'] ?? body['DestinationId'];
  if (typeof destination !== 'string') throw badRequest('destinationId is missing.', 'ErrorInvalidArgument');
  const target = findFolder(mailbox, destination, 'IPF.Note');
  const now = call.world.clock.now();
  if (!copy) return created(showMessage(call, mailbox, mailbox.move(item, folder, target, now)));
  const twin: Item = { ...item, key: mailbox.newKey(), moves: 0, version: 0, modified: now };
  mailbox.put(target, twin);
  return created(showMessage(call, mailbox, twin));
}
