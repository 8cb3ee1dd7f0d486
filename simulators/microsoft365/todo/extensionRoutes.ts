import { jsonBody, param } from '../server/call.ts';
import type { Call, Route } from '../server/call.ts';
import { badRequest, GraphFailure, itemNotFound } from '../server/graphFailure.ts';
import { created, NO_CONTENT, ok } from '../server/reply.ts';
import { mailboxOf } from '../mailbox/findMailbox.ts';
import type { FoundItem } from '../mailbox/findMailbox.ts';
import { answerList, arrayListing } from '../odata/list.ts';
import type { Properties } from '../odata/list.ts';
import { shape } from '../odata/shape.ts';
import { PERMISSIONS } from '../signIn/permissions.ts';

const TYPE = 'openTypeExtension';
/** Data of one's own: single values, and lists of them. */
const VALUES = new Set(['string', 'number', 'boolean']);

/** Reads an open extension of a body: it needs its type and a name, and holds single values and lists of them. */
export function readExtension(body: Properties): Properties {
  const { '@odata.type': type, extensionName, id: _id, ...data } = body;
  if (typeof type !== 'string' || !/^#?microsoft\.graph\.openTypeExtension$/.test(type)) throw badRequest('An extension needs its @odata.type, microsoft.graph.openTypeExtension.', 'invalidRequest');
  if (typeof extensionName !== 'string' || extensionName === '') throw badRequest('An extension needs an extensionName.', 'invalidRequest');
  for (const value of Object.values(data).flat()) if (!VALUES.has(typeof value)) throw badRequest('An extension holds single values and lists of them.', 'invalidRequest');
  return { '@odata.type': '#microsoft.graph.openTypeExtension', id: `microsoft.graph.openTypeExtension.${extensionName}`, extensionName, ...data };
}

/** The routes of a task's open extensions. */
export function extensionRoutes(path: string, find: (call: Call) => FoundItem): Route[] {
  const list = `${path}/extensions`;
  const one = `${list}/{extension-id}`;
  const extensions = (call: Call): readonly Properties[] => find(call).item.extensions ?? [];
  const extensionOf = (call: Call): Properties => {
    const id = param(call, 'extension-id');
    const found = extensions(call).find((extension) => extension['id'] === id || extension['extensionName'] === id);
    if (found === undefined) throw itemNotFound();
    return found;
  };
  const save = (call: Call, changed: readonly Properties[]): void => {
    const { item, folder } = find(call);
    mailboxOf(call).put(folder, { ...item, version: item.version + 1, modified: call.world.clock.now(), extensions: changed });
  };
  return [
    { method: 'GET', path: list, permissions: PERMISSIONS.readTasks, handle: (call) => answerList(call, arrayListing(TYPE, extensions(call), (document, query) => shape({ type: TYPE }, document, query))) },
    {
      method: 'POST', path: list, permissions: PERMISSIONS.writeTasks,
      handle: (call) => {
        const extension = readExtension(jsonBody(call));
        if (extensions(call).some(({ id }) => id === extension['id'])) throw new GraphFailure(409, 'nameAlreadyExists', 'There is an extension of this name.');
        save(call, [...extensions(call), extension]);
        return created(extension);
      },
    },
    { method: 'GET', path: one, permissions: PERMISSIONS.readTasks, only: ['select'], handle: (call) => ok(shape({ type: TYPE }, extensionOf(call), call.query)) },
    {
      method: 'PATCH', path: one, permissions: PERMISSIONS.writeTasks,
      handle: (call) => {
        const before = extensionOf(call);
        const changed = readExtension({ ...before, ...jsonBody(call) });
        save(call, extensions(call).map((extension) => (extension === before ? changed : extension)));
        return ok(changed);
      },
    },
    {
      method: 'DELETE', path: one, permissions: PERMISSIONS.writeTasks,
      handle: (call) => {
        const gone = extensionOf(call);
        save(call, extensions(call).filter((extension) => extension !== gone));
        return NO_CONTENT;
      },
    },
  ];
}
