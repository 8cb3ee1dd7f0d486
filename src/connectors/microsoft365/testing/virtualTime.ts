import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock, Sleep } from '../../../runtime/index.ts';
import type { Microsoft365 } from '../../../../simulators/microsoft365/index.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Turns of the event loop without anything happening, after which both sides are taken to be idle. */
const IDLE_TURNS = 4;
/** What `fetch` tells of each of its requests; one that fails is told of, too. */
const BEGINS = 'undici:request:create';
const ENDS = ['undici:request:trailers', 'undici:request:error'];

/**
 * The simulator's clock as the product's: it moves on only when no request of this process runs and everybody sleeps, and then to where the first one wakes.
 * `quietMs`: of the machine's time, that nothing may happen in besides; for who works with files and threads between two requests.
 */
export class VirtualTime implements Clock, Disposable {
  readonly #simulator: Microsoft365;
  readonly #quietMs: number;
  readonly #sleepers = new Set<Sleeper>();
  #running = new Set<unknown>();
  #happened = 0;

  constructor(simulator: Microsoft365, { quietMs = 0 }: { readonly quietMs?: number } = {}) {
    this.#simulator = simulator;
    this.#quietMs = quietMs;
    subscribe(BEGINS, this.#begins);
    for (const name of ENDS) subscribe(name, this.#ends);
  }

  now(): number { return this.#simulator.now(); }

  monotonic(): number { return this.#simulator.now(); }

  readonly sleep: Sleep = (ms, signal) => new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    this.#happened++;
    const end = (): void => {
      this.#sleepers.delete(sleeper);
      reject(signal?.reason);
    };
    const sleeper: Sleeper = {
      at: this.now() + Math.max(1, ms),
      wake: () => {
        signal?.removeEventListener('abort', end);
        resolve();
      },
    };
    this.#sleepers.add(sleeper);
    signal?.addEventListener('abort', end, { once: true });
  });

  /** Lets time pass up to a moment. */
  async runUntil(end: number): Promise<void> {
    while (this.now() < end) {
      await this.#idle();
      this.#pass(end);
    }
    await this.#idle();
  }

  /** Lets time pass until somebody has done their work. */
  async runWhile<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    work.then(end, end);
    for (;;) {
      await this.#idle();
      if (isDone) return await work;
      if (this.#sleepers.size > 0) this.#pass(Infinity);
    }
  }

  #pass(end: number): void {
    let next = end;
    for (const { at } of this.#sleepers) next = Math.min(next, at);
    this.#simulator.advance(Math.max(1, next - this.now()));
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.now()) continue;
      this.#sleepers.delete(sleeper);
      this.#happened++;
      sleeper.wake();
    }
  }

  async #idle(): Promise<void> {
    for (;;) {
      for (let quiet = 0; quiet < IDLE_TURNS;) {
        const before = this.#happened;
        await new Promise((resolve) => { setImmediate(resolve); });
        quiet = this.#running.size === 0 && this.#happened === before ? quiet + 1 : 0;
      }
      const before = this.#happened;
      if (this.#quietMs > 0) await wait(this.#quietMs);
      if (this.#happened === before && this.#running.size === 0) return;
    }
  }

  readonly #begins = (message: unknown): void => {
    this.#running.add(requestOf(message));
    this.#happened++;
  };

  readonly #ends = (message: unknown): void => {
    this.#running.delete(requestOf(message));
    this.#happened++;
  };

  [Symbol.dispose](): void {
    unsubscribe(BEGINS, this.#begins);
    for (const name of ENDS) unsubscribe(name, this.#ends);
  }
}

function requestOf(message: unknown): unknown {
  return (message as { readonly request: unknown }).request;
}
