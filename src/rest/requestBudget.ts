import type { Clock, Sleep } from '../runtime/index.ts';
import { UseWindow } from './useWindow.ts';

/** What a service permits one caller. */
export interface BudgetLimits {
  /** Requests in any `requestWindowMs`. */
  readonly requests: number;
  readonly requestWindowMs: number;
  /** Requests that run at the same time. */
  readonly concurrent: number;
  /** Bytes that are sent in any `uploadWindowMs`. */
  readonly uploadBytes: number;
  readonly uploadWindowMs: number;
}

/** What a request uses. A batch is several requests, of which some run at once. */
export interface BudgetUse {
  readonly requests?: number;
  readonly slots?: number;
  readonly uploadBytes?: number;
}

export interface BudgetOptions {
  readonly clock: Clock;
  readonly sleep: Sleep;
  /** Told when requests have to wait for the windows, with the time (of `clock.now`) until which they do. */
  readonly onWait?: (untilMs: number) => void;
}

interface Waiter {
  readonly use: Required<BudgetUse>;
  readonly grant: () => void;
}

/**
 * Lets requests go, in the order in which they ask, as soon as the service permits them: so many at a time, so many in a window. Bursts are not
 * smoothed: a service that counts by windows permits them, and what is not used is lost. A request counts from when it is let go until a window
 * after it has ended: the server may count it at any moment in between.
 */
export class RequestBudget {
  readonly #limits: BudgetLimits;
  readonly #options: BudgetOptions;
  readonly #requests: UseWindow;
  readonly #upload: UseWindow;
  readonly #waiting: Waiter[] = [];
  #slots = 0;
  #granted = 0;
  #pendingRequests = 0;
  #pendingBytes = 0;
  /** Of the monotonic clock: until then nothing goes, because the service said so. */
  #closedUntil = 0;
  #sleeping: AbortController | undefined;

  constructor(limits: BudgetLimits, options: BudgetOptions) {
    this.#limits = limits;
    this.#options = options;
    this.#requests = new UseWindow(limits.requests, limits.requestWindowMs);
    this.#upload = new UseWindow(limits.uploadBytes, limits.uploadWindowMs);
  }

  /** Requests that may run at once. */
  get concurrent(): number { return this.#limits.concurrent; }

  /** Requests that were let go so far. */
  get granted(): number { return this.#granted; }

  /** Waits for its turn; call what it gives when the request has ended. */
  async enter(use: BudgetUse, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const { requests = 1, slots = 1, uploadBytes = 0 } = use;
    const whole = { requests, slots: Math.min(slots, this.#limits.concurrent), uploadBytes };
    await this.#turn(whole, signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave(whole);
    };
  }

  /** The service refused: nothing more goes for so long. */
  closeFor(milliseconds: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, this.#options.clock.monotonic() + milliseconds);
  }

  async #turn(use: Required<BudgetUse>, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
        if (this.#waiting.length === 0) this.#sleeping?.abort();
        else this.#letGo();
      };
      const waiter: Waiter = {
        use,
        grant: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiter);
      this.#letGo();
    });
  }

  #leave(use: Required<BudgetUse>): void {
    const now = this.#options.clock.monotonic();
    this.#slots -= use.slots;
    this.#pendingRequests -= use.requests;
    this.#pendingBytes -= use.uploadBytes;
    this.#requests.add(now, use.requests);
    this.#upload.add(now, use.uploadBytes);
    this.#letGo();
  }

  #letGo(): void {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const { use } = head;
      // Who leaves lets the next one go.
      if (this.#slots + use.slots > this.#limits.concurrent) return;
      const wait = this.#untilFits(use);
      if (wait > 0) {
        this.#sleepFor(wait);
        return;
      }
      this.#waiting.shift();
      this.#slots += use.slots;
      this.#granted += use.requests;
      this.#pendingRequests += use.requests;
      this.#pendingBytes += use.uploadBytes;
      head.grant();
    }
  }

  #untilFits({ requests, uploadBytes }: Required<BudgetUse>): number {
    const now = this.#options.clock.monotonic();
    return Math.max(
      this.#closedUntil - now,
      this.#requests.untilFits(now, this.#pendingRequests + requests),
      this.#upload.untilFits(now, this.#pendingBytes + uploadBytes),
    );
  }

  #sleepFor(milliseconds: number): void {
    if (this.#sleeping !== undefined) return;
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    const { clock, sleep, onWait } = this.#options;
    onWait?.(clock.now() + milliseconds);
    const wake = (): void => {
      this.#sleeping = undefined;
      this.#letGo();
    };
    // An aborted sleep wakes as well: somebody else may wait by now.
    sleep(Math.ceil(milliseconds), sleeping.signal).then(wake, wake);
  }
}
