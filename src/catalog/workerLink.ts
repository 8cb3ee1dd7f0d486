import { Worker } from 'node:worker_threads';
import { HoldfastError, messageOf } from '../domain/index.ts';
import { fromFailure } from './failures.ts';
import { unpackRows } from './packedRows.ts';
import type { Arguments, OperationName, Reply, Result, WorkerTask } from './protocol.ts';

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const WORKER_HEAP_MB = 192;

/**
 * One worker thread and the requests under way to it. The thread keeps the process alive only while a request waits for
 * its answer; when it ends, all that wait are rejected with `catalog/worker-lost`.
 */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #lost: HoldfastError | undefined;

  constructor(task: WorkerTask) {
    this.#worker = new Worker(new URL('./catalogWorker.ts', import.meta.url), {
      workerData: task,
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#fail(messageOf(error)));
    this.#worker.on('exit', (code) => this.#fail(`exit code ${code}`));
    this.#worker.unref();
  }

  /** What the worker says of its start; to be asked for once, before anything else is awaited. */
  started(signal?: AbortSignal): Promise<unknown> {
    return this.#wait(0, signal);
  }

  /** Throws the worker's HoldfastError, or the signal's reason; the worker may still do what was asked then. */
  async call<K extends OperationName>(operation: K, args: Arguments<K>, signal?: AbortSignal): Promise<Result<K>> {
    signal?.throwIfAborted();
    if (this.#lost) throw this.#lost;
    const id = this.#nextId++;
    const answer = this.#wait(id, signal);
    this.#worker.postMessage({ id, operation, args });
    return (await answer) as Result<K>;
  }

  async stop(): Promise<void> {
    this.#fail('closed');
    await this.#worker.terminate();
  }

  #wait(id: number, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#forget(id);
        reject(signal?.reason);
      };
      const settled = <T>(action: (value: T) => void) => (value: T): void => {
        signal?.removeEventListener('abort', abort);
        action(value);
      };
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #settle(reply: Reply): void {
    const pending = this.#forget(reply.id);
    if ('failure' in reply) pending?.reject(fromFailure(reply.failure));
    else pending?.resolve(reply.rows ? { ...reply.result as object, rows: unpackRows(reply.rows) } : reply.result);
  }

  #forget(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (this.#pending.delete(id) && this.#pending.size === 0) this.#worker.unref();
    return pending;
  }

  #fail(reason: string): void {
    const text = `The catalog's worker is gone (${reason}); open the catalog again.`;
    this.#lost ??= new HoldfastError('catalog/worker-lost', 'retry', text);
    for (const id of this.#pending.keys()) this.#forget(id)?.reject(this.#lost);
  }
}
