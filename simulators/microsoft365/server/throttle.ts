import type { Clock } from './clock.ts';
import { GraphFailure } from './graphFailure.ts';

/** Facts 1, 4 and 5. Tests may make them smaller. */
export interface Limits {
  readonly globalRequests: number;
  readonly mailboxRequests: number;
  readonly mailboxConcurrency: number;
  readonly mailboxUploadBytes: number;
}

export const DOCUMENTED_LIMITS: Limits = {
  globalRequests: 130_000, mailboxRequests: 10_000, mailboxConcurrency: 4, mailboxUploadBytes: 150 * 1024 * 1024,
};

const GLOBAL_WINDOW_MS = 10_000;
const REQUEST_WINDOW_MS = 600_000;
const UPLOAD_WINDOW_MS = 300_000;
const SLICES = 60;

/** Amounts over a sliding window, kept in slices: memory does not grow with requests. */
export class SlidingWindow {
  readonly #amounts = new Float64Array(SLICES);
  readonly #slices = new Float64Array(SLICES).fill(-1);
  readonly #sliceMs: number;

  constructor(windowMs: number) {
    this.#sliceMs = windowMs / SLICES;
  }

  add(now: number, amount: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    const place = slice % SLICES;
    if (this.#slices[place] !== slice) {
      this.#slices[place] = slice;
      this.#amounts[place] = 0;
    }
    this.#amounts[place] = (this.#amounts[place] ?? 0) + amount;
  }

  total(now: number): number {
    const oldest = Math.floor(now / this.#sliceMs) - SLICES;
    let total = 0;
    for (let place = 0; place < SLICES; place++) if ((this.#slices[place] ?? -1) > oldest) total += this.#amounts[place] ?? 0;
    return total;
  }

  /** Seconds until no more than `limit` is left, if nothing is added. */
  secondsUntil(now: number, limit: number): number {
    const current = Math.floor(now / this.#sliceMs);
    let total = this.total(now);
    for (let age = SLICES - 1; age >= 0; age--) {
      const place = (current - age + SLICES * 2) % SLICES;
      if (this.#slices[place] === current - age) total -= this.#amounts[place] ?? 0;
      if (total <= limit) return Math.max(1, Math.ceil(((current - age + SLICES) * this.#sliceMs - now) / 1000));
    }
    return Math.ceil((SLICES * this.#sliceMs) / 1000);
  }
}

interface MailboxUse {
  readonly requests: SlidingWindow;
  readonly upload: SlidingWindow;
  running: number;
}

/** Counts what each app uses of each mailbox. A refused request counts, too (fact 2). */
export class Throttle {
  limits: Limits = DOCUMENTED_LIMITS;
  readonly #clock: Clock;
  readonly #global = new Map<string, SlidingWindow>();
  readonly #mailboxes = new Map<string, MailboxUse>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Admits a request of an app to a mailbox (undefined: to the directory), or throws 429. Call what it returns at the request's end. */
  enter(appId: string, mailbox: string | undefined, uploadBytes: number): () => void {
    const now = this.#clock.now();
    const global = getOrMake(this.#global, appId, () => new SlidingWindow(GLOBAL_WINDOW_MS));
    global.add(now, 1);
    if (global.total(now) > this.limits.globalRequests) throw tooMany(global.secondsUntil(now, this.limits.globalRequests));
    return mailbox === undefined ? () => undefined : this.#enterMailbox(`${appId} ${mailbox}`, now, uploadBytes);
  }

  #enterMailbox(key: string, now: number, uploadBytes: number): () => void {
    const { mailboxRequests, mailboxUploadBytes, mailboxConcurrency } = this.limits;
    const use = getOrMake(this.#mailboxes, key, () => ({
      requests: new SlidingWindow(REQUEST_WINDOW_MS), upload: new SlidingWindow(UPLOAD_WINDOW_MS), running: 0,
    }));
    use.requests.add(now, 1);
    if (use.requests.total(now) > mailboxRequests) throw tooMany(use.requests.secondsUntil(now, mailboxRequests));
    use.upload.add(now, uploadBytes);
    if (use.upload.total(now) > mailboxUploadBytes) throw tooMany(use.upload.secondsUntil(now, mailboxUploadBytes));
    if (use.running >= mailboxConcurrency) {
      throw new GraphFailure(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', { 'Retry-After': '1' });
    }
    use.running += 1;
    let left = false;
    return () => {
      if (!left) use.running -= 1;
      left = true;
    };
  }
}

function tooMany(seconds: number): GraphFailure {
  return new GraphFailure(429, 'TooManyRequests', 'Too many requests.', { 'Retry-After': String(seconds) });
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
