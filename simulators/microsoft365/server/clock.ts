/** The simulator's time. It runs with the machine's, or stands still from a given moment; in both cases tests can move it on. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

export class MovableClock implements Clock {
  #ahead = 0;
  readonly #standsAt: number | undefined;

  /** `standsAt`: the moment at which a standing clock begins; without it the clock runs. */
  constructor(standsAt?: number) {
    this.#standsAt = standsAt;
  }

  now(): number {
    return (this.#standsAt ?? Date.now()) + this.#ahead;
  }

  /** Tokens age, throttling windows pass, delta tokens expire. */
  advance(milliseconds: number): void {
    if (milliseconds < 0) throw new Error('the clock moves forward only');
    this.#ahead += milliseconds;
  }
}

/** As the service writes times: seconds, no fraction. */
export function isoSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
