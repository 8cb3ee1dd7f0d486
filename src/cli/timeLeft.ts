import type { Clock } from '../runtime/index.ts';

/** Samples that are kept: with more of them every second one goes. */
const MOST_SAMPLES = 64;

interface Sample {
  readonly at: number;
  readonly done: number;
}

/**
 * How long something takes that tells from time to time how far it is: by the speed of the later half of the time so far, so that neither a slow
 * start nor a pause of a minute decides. What it costs does not grow with the time.
 */
export class TimeLeft {
  readonly #clock: Clock;
  #samples: Sample[] = [];
  #last: Sample | undefined;
  #apart = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something else begins. */
  restart(): void {
    this.#samples = [];
    this.#last = undefined;
    this.#apart = 0;
  }

  /** So much is done by now. */
  note(done: number): void {
    const at = this.#clock.monotonic();
    this.#last = { at, done };
    const newest = this.#samples.at(-1);
    if (newest?.at === at) this.#samples.pop();
    else if (newest !== undefined && at - newest.at < this.#apart) return;
    this.#samples.push(this.#last);
    if (this.#samples.length <= MOST_SAMPLES) return;
    this.#samples = this.#samples.filter((_sample, place) => place % 2 === 0);
    this.#apart = ((at - (this.#samples[0]?.at ?? at)) / MOST_SAMPLES) * 2;
  }

  /** Milliseconds until `total`; undefined where nothing tells. */
  of(total: number): number | undefined {
    const [first] = this.#samples;
    const last = this.#last;
    if (first === undefined || last === undefined || last.done >= total) return undefined;
    const middle = first.at + (last.at - first.at) / 2;
    const from = this.#samples.findLast(({ at }) => at <= middle) ?? first;
    // What is told comes in steps: the time since the last one counts only when it is long.
    const still = this.#clock.monotonic() - last.at;
    const isStuck = still > last.at - from.at;
    const speed = (last.done - from.done) / (last.at - from.at + (isStuck ? still : 0));
    if (!(speed > 0) || !Number.isFinite(speed)) return undefined;
    return Math.max(0, (total - last.done) / speed - (isStuck ? 0 : still));
  }
}
