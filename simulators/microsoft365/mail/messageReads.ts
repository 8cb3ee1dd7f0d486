import { param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import { ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList } from '../odata/list.ts';
import { findFolder, findItem, mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import { itemDelta, itemListing } from '../mailbox/shelfListing.ts';
import { removedItem } from '../mailbox/showItem.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { messageView, showMessage } from './messageView.ts';
import { mimeOf } from './mime.ts';

const IN_FOLDER = '/users/{user-id}/mailFolders/{mailFolder-id}/messages';
const READ = PERMISSIONS.readMail;
/** Fact 27. */
const MOST_FILTERED = 5000;

export const messageReads: readonly Route[] = [
  { method: 'GET', path: '/users/{user-id}/messages', permissions: READ, options: ['includeHiddenMessages'], handle: listAll },
  { method: 'GET', path: '/users/{user-id}/messages/{message-id}', permissions: READ, only: ['select', 'expand'], handle: read },
  { method: 'GET', path: '/users/{user-id}/messages/{message-id}/$value', permissions: PERMISSIONS.readWholeMail, only: [], handle: readMime },
  { method: 'GET', path: IN_FOLDER, permissions: READ, options: ['includeHiddenMessages'], handle: listFolder },
  { method: 'GET', path: `${IN_FOLDER}/delta()`, permissions: READ, only: ['select', 'expand', 'top', 'filter', 'orderby'], handle: delta },
  { method: 'GET', path: `${IN_FOLDER}/{message-id}`, permissions: READ, only: ['select', 'expand'], handle: read },
  { method: 'GET', path: `${IN_FOLDER}/{message-id}/$value`, permissions: PERMISSIONS.readWholeMail, only: [], handle: readMime },
];

/** The message of a call, inside of the folder that its path names, if it names one. */
export function messageOf(call: Call): FoundItem {
  const mailbox = mailboxOf(call);
  const folder = call.params['mailFolder-id'];
  return findItem(mailbox, param(call, 'message-id'), 'message', folder === undefined ? undefined : findFolder(mailbox, folder, 'IPF.Note'));
}

function listAll(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folders = mailbox.folders.filter((folder) => folder.class === 'IPF.Note' && !folder.hidden && !folder.removed);
  return answerList(call, itemListing(folders, messageView(call, mailbox)));
}

function listFolder(call: Call): Reply {
  const mailbox = mailboxOf(call);
  return answerList(call, itemListing([findFolder(mailbox, param(call, 'mailFolder-id'), 'IPF.Note')], messageView(call, mailbox)));
}

/** Fact 27: of one folder alone, filtered by time of arrival alone, ordered by it alone. */
function delta(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = findFolder(mailbox, param(call, 'mailFolder-id'), 'IPF.Note');
  const { filterText, orderBy } = call.query;
  if (filterText !== undefined && !/^receivedDateTime\s+(ge|gt)\s+\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(filterText.trim())) {
    throw badRequest('The only filters of this query are receivedDateTime ge and receivedDateTime gt.', 'ErrorInvalidUrlQueryFilter');
  }
  if (orderBy.some(({ property, descending }) => property !== 'receivedDateTime' || !descending) || orderBy.length > 1) {
    throw badRequest('The only order of this query is receivedDateTime desc.', 'ErrorInvalidUrlQuery');
  }
  return answerDelta(call, itemDelta(folder, messageView(call, mailbox), {
    resource: `Collection(message)/${mailbox.ids.folder(folder.number)}`,
    life: mailbox.tokens,
    mostFiltered: MOST_FILTERED,
    removed: (key) => removedItem(call, mailbox, key),
  }));
}

function read(call: Call): Reply {
  return ok(showMessage(call, mailboxOf(call), messageOf(call).item));
}

function readMime(call: Call): Reply {
  return { status: 200, bytes: mimeOf(messageOf(call).item), headers: { 'Content-Type': 'text/plain' } };
}
