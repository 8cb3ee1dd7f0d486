import { Worker } from 'node:worker_threads';
import { messageOf } from '../domain/index.ts';
import type { ContentText, TextFormat } from '../formats/index.ts';

export interface TextRequest {
  readonly format: TextFormat;
  readonly content: Uint8Array;
}

export type TextReply = { readonly text: ContentText } | { readonly error: string };

/** The words, or why there are none. */
export type TextResult = { readonly text: ContentText } | { readonly code: 'search/unreadable' | 'search/too-slow' | 'search/crashed'; readonly message: string };

export interface TextReadersOptions {
  readonly workers: number;
  /** Processor time that reading one content may take; 60,000 unless told. */
  readonly limitMs?: number;
  readonly signal: AbortSignal;
  /** The worker's entry module, for tests. */
  readonly entry?: URL;
}

/** However little of the processor a reader gets. */
const LONGEST_WAIT_MS = 10 * 60_000;
const LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 384 };

/**
 * Threads that read the words of contents, one content each at a time. What a content does to its thread hits that content
 * alone: a thread that computes past the limit or dies is replaced.
 */
export class TextReaders {
  readonly #options: TextReadersOptions;
  readonly #idle: (Worker | undefined)[];
  readonly #all = new Set<Worker>();
  readonly #queue: ((worker: Worker | undefined) => void)[] = [];

  constructor(options: TextReadersOptions) {
    this.#options = options;
    this.#idle = Array.from({ length: options.workers }, () => undefined);
  }

  /** Takes `content`'s memory away from the caller. Rejects only with the signal's reason. */
  async read(format: TextFormat, content: Uint8Array<ArrayBuffer>): Promise<TextResult> {
    this.#options.signal.throwIfAborted();
    const idle = await this.#take();
    const worker = idle && this.#all.has(idle) ? idle : this.#start();
    let result: TextResult | undefined;
    try {
      result = await this.#ask(worker, { format, content });
      return result;
    } finally {
      const usable = result && ('text' in result || result.code === 'search/unreadable');
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
    const worker = new Worker(this.#options.entry ?? new URL('./textWorker.ts', import.meta.url), { resourceLimits: LIMITS });
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

  #ask(worker: Worker, request: TextRequest): Promise<TextResult> {
    const { signal, limitMs = 60_000 } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<TextResult>();
    const crashed = (reason: string): void => resolve({ code: 'search/crashed', message: `Reading its text ended the reader (${reason}).` });
    const onMessage = (reply: TextReply): void => {
      resolve('text' in reply ? reply : { code: 'search/unreadable', message: `Its text cannot be read (${reply.error}).` });
    };
    const onError = (error: unknown): void => crashed(messageOf(error));
    const onExit = (code: number): void => crashed(`exit code ${code}`);
    const onAbort = (): void => reject(signal.reason as Error);
    const stopTimers = whenTooSlow(worker, limitMs, (took) => resolve({ code: 'search/too-slow', message: `Reading its text took over ${took}.` }));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    worker.postMessage(request, [request.content.buffer as ArrayBuffer]);
    return promise.finally(() => {
      stopTimers();
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      signal.removeEventListener('abort', onAbort);
      worker.unref();
    });
  }
}

/**
 * Calls back once the worker has computed for `limitMs`, or was waited for as long as anybody waits; gives what ends that. Not the time on the
 * wall alone: on a busy machine it would condemn contents that are harmless.
 */
function whenTooSlow(worker: Worker, limitMs: number, tell: (took: string) => void): () => void {
  let before: NodeJS.CpuUsage | undefined;
  const look = async (): Promise<void> => {
    before ??= await worker.cpuUsage();
    const { user, system } = await worker.cpuUsage(before);
    if (user + system >= limitMs * 1000) tell(`${Math.ceil(limitMs / 1000)} s`);
  };
  // One that does not run yet, or no longer, has no usage: it is looked at again, and its end is heard of elsewhere.
  const looks = setInterval(() => void look().catch(() => undefined), limitMs / 4);
  const last = setTimeout(() => tell(`${LONGEST_WAIT_MS / 60_000} minutes`), LONGEST_WAIT_MS);
  return () => {
    clearInterval(looks);
    clearTimeout(last);
  };
}
