import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { isoSeconds } from '../server/clock.ts';
import { itemNotFound } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';

export interface PartAccess {
  /** Path of the task. */
  readonly path: string;
  readonly name: string;
  readonly id: string;
  readonly type: 'checklistItem' | 'linkedResource';
  readonly field: 'steps' | 'links';
  readonly find: (call: Call) => FoundItem;
}

/** The routes of a task's checklist items, and of its links: small lists that lie in the task. */
export function partRoutes(access: PartAccess): Route[] {
  const { path, name, id, type, field, find } = access;
  const parts = (call: Call): readonly Properties[] => find(call).item[field] ?? [];
  const partOf = (call: Call): Properties => {
    const part = parts(call).find((candidate) => candidate['id'] === param(call, id));
    if (part === undefined) throw itemNotFound();
    return part;
  };
  const save = (call: Call, changed: readonly Properties[]): void => {
    const { item, folder } = find(call);
    mailboxOf(call).put(folder, { ...item, version: item.version + 1, modified: call.world.clock.now(), [field]: changed });
  };
  const made = (call: Call): Properties => (type === 'checklistItem' ? { isChecked: false, createdDateTime: isoSeconds(call.world.clock.now()) } : {});
  return [
    { method: 'GET', path: `${path}/${name}`, permissions: PERMISSIONS.readTasks, handle: (call) => answerList(call, arrayListing(type, parts(call), (document, query) => shape({ type }, document, query))) },
    {
      method: 'POST', path: `${path}/${name}`, permissions: PERMISSIONS.writeTasks,
      handle: (call) => {
        const part = { id: call.world.newId(), ...made(call), ...jsonBody(call) };
        save(call, [...parts(call), part]);
        return created(part);
      },
    },
    { method: 'GET', path: `${path}/${name}/{${id}}`, permissions: PERMISSIONS.readTasks, only: ['select'], handle: (call) => ok(shape({ type }, partOf(call), call.query)) },
    {
      method: 'PATCH', path: `${path}/${name}/{${id}}`, permissions: PERMISSIONS.writeTasks,
      handle: (call) => {
        const before = partOf(call);
        const changed = { ...before, ...jsonBody(call), id: before['id'] };
        save(call, parts(call).map((part) => (part === before ? changed : part)));
        return ok(changed);
      },
    },
    {
      method: 'DELETE', path: `${path}/${name}/{${id}}`, permissions: PERMISSIONS.writeTasks,
      handle: (call) => {
        const gone = partOf(call);
        save(call, parts(call).filter((part) => part !== gone));
        return NO_CONTENT;
      },
    },
  ];
}
