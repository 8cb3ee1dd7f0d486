import type { Clock, Sleep } from '../../../runtime/index.ts';
import type { Microsoft365 } from '../../../../simulators/microsoft365/index.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Turns of the event loop without anything happening, after which both sides are taken to be idle. */
const IDLE_TURNS = 4;

/** The simulator's clock as the product's: it moves on only when no request runs and everybody sleeps, and then to where the first one wakes. */
export class VirtualTime implements Clock {
  readonly #simulator: Microsoft365;
  #sleepers = new Set<Sleeper>();
  #running = 0;
  #happened = 0;

  constructor(simulator: Microsoft365) {
    this.#simulator = simulator;
  }

  now(): number { return this.#simulator.now(); }

  monotonic(): number { return this.#simulator.now(); }

  /** A request goes out. */
  begins(): void {
    this.#running++;
    this.#happened++;
  }

  /** Its answer is there. */
  ends(): void {
    this.#running--;
    this.#happened++;
  }

  readonly sleep: Sleep = (ms, signal) => new Promise((resolve, reject) => {
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
      const next = Math.min(end, ...[...this.#sleepers].map(({ at }) => at));
      this.#simulator.advance(Math.max(1, next - this.now()));
      for (const sleeper of this.#sleepers) {
        if (sleeper.at > this.now()) continue;
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
    }
    await this.#idle();
  }

  async #idle(): Promise<void> {
    for (let quiet = 0; quiet < IDLE_TURNS;) {
      const before = this.#happened;
      await new Promise((resolve) => { setImmediate(resolve); });
      quiet = this.#running === 0 && this.#happened === before ? quiet + 1 : 0;
    }
  }
}
