import { parentPort, workerData } from 'node:worker_threads';
import { openCache, trim } from './cacheFiles.ts';
import { CatalogServer } from './catalogServer.ts';
import { toFailure } from './failures.ts';
import { packRows } from './packedRows.ts';
import type { OperationName, Page, Reply, Request, WorkerTask } from './protocol.ts';

/** Operations that answer with `rows`, many at once. */
const PAGES: ReadonlySet<OperationName> = new Set(['page', 'rows', 'walk']);

function replyOf({ id, operation }: Request, result: unknown): Reply {
  if (!PAGES.has(operation)) return { id, result };
  const { rows, ...rest } = result as Page;
  return { id, result: rest, rows: packRows(rows) };
}

/** Entry of the worker thread: answers one request after the other; a failure never ends the thread. */
function main(task: WorkerTask): void {
  const send = (reply: Reply): void => parentPort?.postMessage(reply);
  const attempt = <T>(id: number, action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      send({ id, failure: toFailure(error) });
      return undefined;
    }
  };
  if (task.task === 'trim') {
    attempt(0, () => send({ id: 0, result: trim(task.directory, task.maxBytes) }));
    return;
  }
  let files = 0;
  const open = () => openCache(task.place, () => `${task.place.workerId}${(files++).toString(16).padStart(4, '0')}`);
  const server = attempt(0, () => new CatalogServer(open));
  if (!server) return;
  parentPort?.on('message', (request: Request) => {
    attempt(request.id, () => send(replyOf(request, server.answer(request.operation, request.args))));
  });
  send({ id: 0, result: null });
}

main(workerData as WorkerTask);
