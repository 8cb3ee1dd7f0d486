import { Worker, type ResourceLimits } from 'node:worker_threads';
import { HoldfastError, isHoldfastError, type RetryClass } from '../domain/index.ts';

/** Pieces of work that one worker holds at a time: while one waits for something, the other goes on. */
const IN_FLIGHT = 2;

interface Waiting<Result> {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** One worker thread, and what it was given and has not answered. */
export interface Lane<Result> {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting<Result>>;
}

export interface LaneOptions<Reply, Result> {
  /** The worker's entry module. */
  readonly entry: URL;
  readonly workerData: unknown;
  readonly count: number;
  readonly limits: ResourceLimits;
  /** Pieces of work before a second worker is started: one that gets little to do costs more than it brings. */
  readonly alone?: number;
  /** What a lost worker means to a person, and what may be done about it. */
  readonly lost: { readonly retryClass: RetryClass; readonly message: string };
  /** Every message of a worker; `settle` what it finishes. */
  receive(lane: Lane<Result>, reply: Reply): void;
}

/**
 * Worker threads, started as there is work for them. Every wait ends: a worker that dies fails all that any lane holds,
 * and every later call, so that a dead worker never looks like a slow one.
 */
export class WorkerLanes<Reply, Result> {
  readonly #options: LaneOptions<Reply, Result>;
  readonly #lanes: Lane<Result>[] = [];
  #given = 0;
  #failure: unknown;
  #room: (() => void) | undefined;

  constructor(options: LaneOptions<Reply, Result>) {
    this.#options = options;
  }

  get all(): readonly Lane<Result>[] { return this.#lanes; }

  /** Resolves when a worker can take more. At most one caller waits at a time. */
  async ready(): Promise<void> {
    while (!this.#failure && !this.#mayStart() && this.#freest().waiting.size >= IN_FLIGHT) {
      await new Promise<void>((resolve) => { this.#room = resolve; });
    }
    if (this.#failure) throw this.#failure;
  }

  /**
   * Gives the worker with least to do a piece of work under a number of the caller's; resolves when that is settled. A
   * further worker is started where all are busy and one more is allowed.
   */
  give(number: number, message: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#failure as Error);
    const busy = this.#lanes.length === 0 || this.#freest().waiting.size > 0;
    if (busy && this.#mayStart()) this.#start();
    this.#given++;
    return this.send(this.#freest(), number, message, transfer);
  }

  /** The same for one lane of `all`. */
  send(lane: Lane<Result>, number: number, message: unknown, transfer: readonly ArrayBuffer[] = []): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#failure as Error);
    return new Promise((resolve, reject) => {
      lane.waiting.set(number, { resolve, reject });
      lane.worker.postMessage(message, transfer);
    });
  }

  /** The worker's answer to a piece of work. */
  settle(lane: Lane<Result>, number: number, answer: { readonly result: Result } | { readonly error: HoldfastError }): void {
    const waiting = lane.waiting.get(number);
    lane.waiting.delete(number);
    if ('result' in answer) waiting?.resolve(answer.result);
    else waiting?.reject(answer.error);
    this.#wake();
  }

  /** Ends all work with an error; a {@link HoldfastError} is told as it is, anything else as a lost worker. */
  fail(error: unknown): void {
    const { retryClass, message } = this.#options.lost;
    this.#failure ??= isHoldfastError(error) ? error : new HoldfastError('repository/worker-failed', retryClass, message, { cause: error });
    for (const lane of this.#lanes) {
      for (const waiting of lane.waiting.values()) waiting.reject(this.#failure);
      lane.waiting.clear();
    }
    this.#wake();
  }

  async close(): Promise<void> {
    this.#failure ??= new HoldfastError('repository/closed', 'never', 'The worker threads were ended.');
    await Promise.all(this.#lanes.map((lane) => lane.worker.terminate()));
  }

  #mayStart(): boolean {
    const { count, alone = 0 } = this.#options;
    return this.#lanes.length < (this.#given < alone ? 1 : count);
  }

  #freest(): Lane<Result> {
    return this.#lanes.reduce((best, lane) => (lane.waiting.size < best.waiting.size ? lane : best));
  }

  #start(): void {
    const { entry, workerData, limits } = this.#options;
    const worker = new Worker(entry, { workerData, resourceLimits: limits });
    const lane: Lane<Result> = { worker, waiting: new Map() };
    worker.on('message', (reply: Reply) => this.#options.receive(lane, reply));
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => { if (lane.waiting.size > 0) this.fail(new Error(`a worker thread ended with ${code}`)); });
    this.#lanes.push(lane);
  }

  #wake(): void {
    this.#room?.();
    this.#room = undefined;
  }
}
