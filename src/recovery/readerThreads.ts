import { Worker } from 'node:worker_threads';
import { messageOf } from '../domain/index.ts';
import { whenTooSlow } from './whenTooSlow.ts';

/** What a thread answers: a value, or why there is none; after either it takes the next content. */
export type ThreadReply<Value> = { readonly value: Value } | { readonly error: string };

/** The value, or what became of the reading; `detail` is for whoever looks into it. */
export type ThreadResult<Value> = { readonly value: Value } | { readonly failed: 'unreadable' | 'too-slow' | 'crashed'; readonly detail: string };

export interface ReaderThreadsOptions {
  /** The threads' entry module. */
  readonly entry: URL;
  readonly workers: number;
  /** Processor time that reading one content may take; 60,000 unless told. */
  readonly limitMs?: number;
  readonly signal: AbortSignal;
}

const LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 384 };

/**
 * Threads that read contents which others wrote, one content each at a time. What a content does to its thread hits that content
 * alone: a thread that computes past the limit or dies is replaced.
 */
export class ReaderThreads<Request, Value> {
  readonly #options: ReaderThreadsOptions;
  readonly #idle: (Worker | undefined)[];
  readonly #all = new Set<Worker>();
  readonly #queue: ((worker: Worker | undefined) => void)[] = [];

  constructor(options: ReaderThreadsOptions) {
    this.#options = options;
    this.#idle = Array.from({ length: options.workers }, () => undefined);
  }

  /** Takes the memory in `transfer` away from the caller. Rejects with the signal's reason, and where nobody can tell how long the thread has computed. */
  async read(request: Request, transfer: readonly ArrayBuffer[], signal: AbortSignal = this.#options.signal): Promise<ThreadResult<Value>> {
    signal.throwIfAborted();
    const idle = await this.#take();
    const worker = idle && this.#all.has(idle) ? idle : this.#start();
    let result: ThreadResult<Value> | undefined;
    try {
      result = await this.#ask(worker, request, transfer, signal);
      return result;
    } finally {
      const usable = result && ('value' in result || result.failed === 'unreadable');
      if (!usable) await this.#end(worker);
      this.#give(usable ? worker : undefined);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => this.#end(worker)));
  }

  async #take(): Promise<Worker | undefined> {
    if (this.#idle.length > 0) return this.#idle.pop();
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  #give(worker: Worker | undefined): void {
    const next = this.#queue.shift();
    if (next) next(worker);
    else this.#idle.push(worker);
  }

  #start(): Worker {
    const worker = new Worker(this.#options.entry, { resourceLimits: LIMITS });
    // One that dies between two contents is not given another.
    worker.on('error', () => this.#all.delete(worker)).on('exit', () => this.#all.delete(worker));
    worker.unref();
    this.#all.add(worker);
    return worker;
  }

  async #end(worker: Worker): Promise<void> {
    this.#all.delete(worker);
    await worker.terminate();
  }

  #ask(worker: Worker, request: Request, transfer: readonly ArrayBuffer[], signal: AbortSignal): Promise<ThreadResult<Value>> {
    const { limitMs = 60_000 } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<ThreadResult<Value>>();
    const crashed = (detail: string): void => resolve({ failed: 'crashed', detail });
    const onMessage = (reply: ThreadReply<Value>): void => resolve('value' in reply ? reply : { failed: 'unreadable', detail: reply.error });
    const onError = (error: unknown): void => crashed(messageOf(error));
    const onExit = (code: number): void => crashed(`exit code ${code}`);
    const onAbort = (): void => reject(signal.reason as Error);
    const stopTimers = whenTooSlow(worker, limitMs, { slow: (took) => resolve({ failed: 'too-slow', detail: took }), failed: reject });
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    worker.postMessage(request, transfer);
    return promise.finally(() => {
      stopTimers();
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
      worker.unref();
    });
  }
}
