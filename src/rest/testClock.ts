import type { Clock, Sleep } from '../runtime/index.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that moves only when a test says so. */
export class TestClock implements Clock {
  #time: number;
  #sleepers: Sleeper[] = [];

  constructor(start = 1_000_000) {
    this.#time = start;
  }

  now(): number { return this.#time; }

  monotonic(): number { return this.#time; }

  readonly sleep: Sleep = (ms, signal) => new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const sleeper = { at: this.#time + ms, wake: resolve };
    this.#sleepers.push(sleeper);
    signal?.addEventListener('abort', () => {
      this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
      reject(signal.reason);
    }, { once: true });
  });

  /** When the next sleeper wants to wake; undefined where none sleeps. */
  get next(): number | undefined {
    return this.#sleepers.length === 0 ? undefined : Math.min(...this.#sleepers.map(({ at }) => at));
  }

  /** Moves on, and wakes whose time has come. */
  async advance(ms: number): Promise<void> {
    this.#time += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#time);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#time);
    for (const { wake } of due) wake();
    await settle();
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => { setImmediate(resolve); });
}
