import { HoldfastError } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';

const MOST_CALLERS = 50_000;

/** So many calls of one caller in a window of time, counted in this process. Sign-in has limits of its own, in the database. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #windowMs: number;
  #counts = new Map<string, number>();
  #windowEnd = 0;

  constructor(clock: Clock, most: number, windowMs: number) {
    this.#clock = clock;
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Errors: `api/too-many`. */
  count(caller: string): void {
    const now = this.#turn();
    const count = (this.#counts.get(caller) ?? 0) + 1;
    if (count > this.#most) {
      const retryAfterMs = Math.ceil(this.#windowEnd - now);
      throw new HoldfastError('api/too-many', 'retry', `Too many calls. Wait ${Math.ceil(retryAfterMs / 1000)} seconds.`, { data: { retryAfterMs } });
    }
    if (count > 1 || this.#counts.size < MOST_CALLERS) this.#counts.set(caller, count);
  }

  /** How many calls the caller has left, and when the count begins anew. */
  left(caller: string): { readonly left: number; readonly resetMs: number } {
    const now = this.#turn();
    return { left: Math.max(this.#most - (this.#counts.get(caller) ?? 0), 0), resetMs: this.#windowEnd - now };
  }

  /** Gives the time, in a window that holds it. */
  #turn(): number {
    const now = this.#clock.monotonic();
    if (now >= this.#windowEnd) {
      this.#counts = new Map();
      this.#windowEnd = now + this.#windowMs;
    }
    return now;
  }
}
