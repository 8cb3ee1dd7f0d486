import type { Progress, ProgressEvent } from '../domain/index.ts';

type Counted = Extract<ProgressEvent, { type: 'progress' }>;

/** One progress of several runs at once: their counters added up, what each waits for and is warned of under its name. */
export class ProgressSum {
  readonly #listener: Progress;
  readonly #latest = new Map<string, Counted>();

  constructor(listener: Progress) {
    this.#listener = listener;
  }

  /** The listener of one run. */
  of(name: string): Progress {
    return (event) => {
      if (event.type === 'waiting') this.#listener({ ...event, for: `${event.for} (${name})` });
      else if (event.type === 'warning') this.#listener({ ...event, item: `${name}: ${event.item}` });
      else {
        this.#latest.set(name, event);
        this.#listener({ type: 'progress', stage: event.stage, ...this.#totals() });
      }
    };
  }

  #totals(): Pick<Counted, 'items' | 'bytes'> {
    let [items, bytes] = [0, 0];
    for (const one of this.#latest.values()) {
      items += one.items;
      bytes += one.bytes;
    }
    return { items, bytes };
  }
}
