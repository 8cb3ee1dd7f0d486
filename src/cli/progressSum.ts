import type { Progress, ProgressEvent } from '../domain/index.ts';

type Counted = Extract<ProgressEvent, { type: 'progress' }>;

interface Part {
  readonly listed: number;
  readonly items: number;
  readonly bytes: number;
  /** 0 where nobody knows. */
  readonly total: number;
  /** 1: `total` is all there is. */
  readonly known: number;
  /** As in an event's effort. */
  readonly done: number;
  readonly work: number;
  /** 1: it tells its effort. */
  readonly tells: number;
}

const NOTHING: Part = { listed: 0, items: 0, bytes: 0, total: 0, known: 0, done: 0, work: 0, tells: 0 };

/** One progress of several runs at once: their counters added up, what each waits for and is warned of under its name. An event costs the same for however many runs. */
export class ProgressSum {
  readonly #listener: Progress;
  readonly #runs: number;
  readonly #latest = new Map<string, Part>();
  #sum = NOTHING;
  #stores = false;

  /** `runs`: how many there are in all. */
  constructor(listener: Progress, runs: number) {
    this.#listener = listener;
    this.#runs = runs;
  }

  /** The listener of one run. */
  of(name: string): Progress {
    return (event) => {
      if (event.type === 'waiting') this.#listener({ ...event, for: `${event.for} (${name})` });
      else if (event.type === 'warning') this.#listener({ ...event, item: `${name}: ${event.item}` });
      else this.#count(name, event);
    };
  }

  #count(name: string, event: Counted): void {
    const before = this.#latest.get(name) ?? NOTHING;
    const part = partOf(event, before);
    this.#latest.set(name, part);
    const moved = (field: keyof Part): number => this.#sum[field] + part[field] - before[field];
    this.#sum = { listed: moved('listed'), items: moved('items'), bytes: moved('bytes'), total: moved('total'), known: moved('known'), done: moved('done'), work: moved('work'), tells: moved('tells') };
    this.#stores ||= event.stage !== 'scan';
    const { listed, items, bytes, total, known, done, work, tells } = this.#sum;
    if (!this.#stores) this.#listener({ type: 'progress', stage: event.stage, items: listed, bytes });
    else {
      const totals = total < items || total === 0 ? {} : { totalItems: total, ...(known < this.#runs ? { totalIsLeast: true } : {}) };
      // Of those that only list nobody knows what they will cost.
      const effort = tells > 0 && tells === known ? { effort: { done, total: work } } : {};
      this.#listener({ type: 'progress', stage: 'store', items, bytes, ...totals, ...effort });
    }
  }
}

/** What a run lists is not done yet; what it had done before stays. */
function partOf({ stage, items, bytes, totalItems, totalIsLeast, effort }: Counted, before: Part): Part {
  if (stage === 'scan') return { ...before, listed: items, total: Math.max(before.total, totalItems ?? items) };
  return {
    listed: 0, items, bytes, total: totalItems ?? Math.max(before.total, items), known: totalItems === undefined || totalIsLeast === true ? 0 : 1,
    done: effort?.done ?? 0, work: effort?.total ?? 0, tells: effort === undefined ? 0 : 1,
  };
}
