import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import { isoSeconds } from '../server/clock.ts';
import { attachmentRoutes } from '../mail/attachmentRoutes.ts';
import { findFolder, findItem, mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Item } from '../mailbox/item.ts';
import { itemDelta, itemListing } from '../mailbox/shelfListing.ts';
import { removedItem } from '../mailbox/showItem.ts';
import { answerDelta } from '../odata/delta.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { isPropertyOf } from '../odata/typeProperties.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';
import { extensionRoutes, readExtension } from './extensionRoutes.ts';
import { partRoutes } from './partRoutes.ts';
import { listDocument, taskView } from './taskView.ts';

const LISTS = '/users/{user-id}/todo/lists';
const LIST = `${LISTS}/{todoTaskList-id}`;
const TASK = `${LIST}/tasks/{todoTask-id}`;
const READ = PERMISSIONS.readTasks;
const WRITE = PERMISSIONS.writeTasks;
const READ_ONLY = new Set(['id', 'createdDateTime', 'lastModifiedDateTime', 'bodyLastModifiedDateTime', 'hasAttachments', 'attachments', 'attachmentSessions', 'checklistItems', 'linkedResources', 'extensions']);

export const taskRoutes: readonly Route[] = [
  { method: 'GET', path: LISTS, permissions: READ, handle: listLists },
  { method: 'POST', path: LISTS, permissions: WRITE, handle: makeList },
  { method: 'GET', path: `${LISTS}/delta()`, permissions: READ, only: ['select', 'top'], handle: deltaLists },
  { method: 'GET', path: LIST, permissions: READ, only: ['select', 'expand'], handle: (call) => ok(shape({ type: 'todoTaskList' }, listDocument(mailboxOf(call), listOf(call)), call.query)) },
  { method: 'PATCH', path: LIST, permissions: WRITE, handle: renameList },
  { method: 'DELETE', path: LIST, permissions: WRITE, handle: removeList },
  { method: 'GET', path: `${LIST}/tasks`, permissions: READ, handle: (call) => answerList(call, itemListing([listOf(call)], taskView(call, mailboxOf(call)))) },
  { method: 'POST', path: `${LIST}/tasks`, permissions: WRITE, handle: create },
  { method: 'GET', path: `${LIST}/tasks/delta()`, permissions: READ, only: ['select', 'top', 'expand'], handle: deltaTasks },
  { method: 'GET', path: TASK, permissions: READ, only: ['select', 'expand'], handle: (call) => ok(show(call, taskOf(call))) },
  { method: 'PATCH', path: TASK, permissions: WRITE, handle: patch },
  { method: 'DELETE', path: TASK, permissions: WRITE, handle: remove },
  ...partRoutes({ path: TASK, name: 'checklistItems', id: 'checklistItem-id', type: 'checklistItem', field: 'steps', find: taskOf }),
  ...partRoutes({ path: TASK, name: 'linkedResources', id: 'linkedResource-id', type: 'linkedResource', field: 'links', find: taskOf }),
  ...extensionRoutes(TASK, taskOf),
  ...attachmentRoutes({ path: TASK, read: READ, write: WRITE, upload: WRITE, find: taskOf, taskFiles: true }),
];

function listOf(call: Call): Folder {
  return findFolder(mailboxOf(call), param(call, 'todoTaskList-id'), 'IPF.Task');
}

function taskOf(call: Call): FoundItem {
  return findItem(mailboxOf(call), param(call, 'todoTask-id'), 'task', listOf(call));
}

function listLists(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const lists = mailbox.folders.filter((folder) => folder.class === 'IPF.Task' && !folder.removed);
  return answerList(call, arrayListing('todoTaskList', lists.map((folder) => listDocument(mailbox, folder)), (document, query) => shape({ type: 'todoTaskList' }, document, query)));
}

function makeList(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const { displayName } = jsonBody(call);
  if (typeof displayName !== 'string' || displayName === '') throw badRequest('A list needs a displayName.', 'invalidRequest');
  return created(listDocument(mailbox, mailbox.addFolder({ class: 'IPF.Task', name: displayName, parent: 0 })));
}

function renameList(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = listOf(call);
  const { displayName } = jsonBody(call);
  if (typeof displayName !== 'string' || folder.wellKnown !== undefined) throw badRequest('This list cannot be renamed so.', 'invalidRequest');
  folder.name = displayName;
  mailbox.touch(folder);
  return ok(listDocument(mailbox, folder));
}

function removeList(call: Call): Reply {
  const folder = listOf(call);
  if (folder.wellKnown !== undefined) throw badRequest('A built-in list cannot be deleted.', 'invalidRequest');
  mailboxOf(call).removeFolder(folder);
  return NO_CONTENT;
}

function deltaLists(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const lists = mailbox.folders.filter((folder) => folder.class === 'IPF.Task');
  return answerDelta(call, {
    type: 'todoTaskList', resource: `todoLists/${mailbox.exportId}`, life: mailbox.tokens.asNotFound(), defaultPage: 100, mostPage: 1000,
    sequence: () => mailbox.sequence,
    *entries(after) {
      for (const { number, removed } of lists) if (!removed && (after === undefined || -number < after.rank)) yield { rank: -number, key: String(number) };
    },
    *changes(since) {
      for (const { sequence, number } of lists.filter((folder) => folder.sequence > since).toSorted((a, b) => a.sequence - b.sequence)) yield { sequence, key: String(number) };
    },
    document: (key) => {
      const folder = mailbox.folder(Number(key));
      return folder === undefined ? undefined : listDocument(mailbox, folder);
    },
    removed: (key) => ({ '@removed': { reason: 'deleted' }, id: mailbox.ids.folder(Number(key)) }),
    shape: (document, query) => shape({ type: 'todoTaskList' }, document, query),
  });
}

function deltaTasks(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = listOf(call);
  return answerDelta(call, itemDelta(folder, taskView(call, mailbox), {
    resource: `tasks/${mailbox.ids.folder(folder.number)}`, life: mailbox.tokens.asNotFound(), removed: (key) => removedItem(call, mailbox, key),
  }));
}

function show(call: Call, { item, folder }: Pick<FoundItem, 'item' | 'folder'>): Properties {
  const view = taskView(call, mailboxOf(call));
  return { '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/todo/lists('${call.params['todoTaskList-id'] ?? ''}')/tasks/$entity`, ...view.shape(view.document(item, folder), call.query) };
}

function readBody(body: Properties): Properties {
  const unknown = Object.keys(body).find((name) => !isPropertyOf('todoTask', name));
  if (unknown !== undefined) throw badRequest(`The property '${unknown}' does not exist on type 'microsoft.graph.todoTask'.`, 'invalidRequest');
  return Object.fromEntries(Object.entries(body).filter(([name]) => !READ_ONLY.has(name) && !name.includes('@')));
}

function create(call: Call): Reply {
  const mailbox = mailboxOf(call);
  const folder = listOf(call);
  const body = jsonBody(call);
  const now = call.world.clock.now();
  const parts = (name: string): Properties[] => ((body[name] ?? []) as Properties[]).map((part) => ({ id: call.world.newId(), ...part }));
  const item: Item = {
    key: mailbox.newKey(), kind: 'task', rank: mailbox.nextSequence(), moves: 0, version: 0, created: now, modified: now, attachments: [], extended: [], steps: parts('checklistItems'), links: parts('linkedResources'),
    extensions: ((body['extensions'] ?? []) as Properties[]).map(readExtension),
    properties: {
      title: '', status: 'notStarted', importance: 'normal', isReminderOn: false, categories: [], body: { content: '', contentType: 'text' }, bodyLastModifiedDateTime: isoSeconds(now), ...readBody(body),
    },
  };
  mailbox.put(folder, item);
  return created(show(call, { item, folder }));
}

function patch(call: Call): Reply {
  const { item, folder } = taskOf(call);
  const now = call.world.clock.now();
  const given = readBody(jsonBody(call));
  const completed = given['status'] === 'completed' && given['completedDateTime'] === undefined ? { completedDateTime: { dateTime: `${isoSeconds(now).slice(0, 10)}T00:00:00.0000000`, timeZone: 'UTC' } } : {};
  const changed = { ...item, version: item.version + 1, modified: now, properties: { ...item.properties, ...given, ...completed } };
  mailboxOf(call).put(folder, changed);
  return ok(show(call, { item: changed, folder }));
}

function remove(call: Call): Reply {
  mailboxOf(call).drop(taskOf(call).item.key);
  return NO_CONTENT;
}
