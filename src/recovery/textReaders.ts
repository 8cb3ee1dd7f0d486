import { Worker } from 'node:worker_threads';
import { messageOf } from '../domain/index.ts';
import type { ContentText, TextFormat } from '../formats/index.ts';
import { whenTooSlow } from './whenTooSlow.ts';

export interface TextRequest {
  readonly format: TextFormat;
  readonly content: Uint8Array;
  /** It is only the beginning of one. */
  readonly cut: boolean;
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

  /** Takes `content`'s memory away from the caller. Rejects with the signal's reason, and where nobody can tell how long the thread has computed. */
  async read(format: TextFormat, content: Uint8Array<ArrayBuffer>, { cut = false }: { readonly cut?: boolean } = {}): Promise<TextResult> {
    this.#options.signal.throwIfAborted();
    const idle = await this.#take();
    const worker = idle && this.#all.has(idle) ? idle : this.#start();
    let result: TextResult | undefined;
    try {
      result = await this.#ask(worker, { format, content, cut });
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
    const stopTimers = whenTooSlow(worker, limitMs, {
      slow: (took) => resolve({ code: 'search/too-slow', message: `Reading its text took over ${took}.` }), failed: reject,
    });
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
