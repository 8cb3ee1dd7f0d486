import type { Progress, ProgressEvent } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import type { TerminalStream } from './commandContext.ts';
import { bytesText, countText, durationText, plural, printable } from './formatText.ts';
import { TimeLeft } from './timeLeft.ts';

const REDRAW_MS = 150;
const LINE_MS = 5_000;
/** Rates are those of the last seconds: what was fast an hour ago says nothing. */
const RATE_WINDOW_MS = 15_000;
const WARNINGS_SHOWN = 20;
const BAR = 20;

const STAGES: Readonly<Record<string, string>> = {
  scan: 'listing', store: 'storing', seal: 'sealing', plan: 'comparing', restore: 'restoring', export: 'exporting',
  check: 'checking', prune: 'pruning', rebuild: 'rebuilding', copy: 'copying', index: 'indexing', test: 'trying', undo: 'taking back',
};

type Counted = Extract<ProgressEvent, { type: 'progress' }>;
type Waiting = Extract<ProgressEvent, { type: 'waiting' }>;

interface Sample {
  readonly at: number;
  readonly items: number;
  readonly bytes: number;
}

export interface ProgressDisplayOptions {
  readonly stream: TerminalStream;
  readonly clock: Clock;
  /** Only warnings. */
  readonly quiet: boolean;
  /** Asked for once, when a run takes long enough to be shown: how many items to expect where the source does not say. */
  readonly expected?: () => Promise<number | undefined>;
}

/** Shows how far a run is: one line that changes on a terminal, a line every few seconds elsewhere. End it with `stop`. */
export class ProgressDisplay {
  readonly #options: ProgressDisplayOptions;
  readonly #live: boolean;
  #timer: NodeJS.Timeout | undefined;
  #now: Counted | undefined;
  #waiting: Waiting | undefined;
  #samples: Sample[] = [];
  readonly #timeLeft: TimeLeft;
  #expected: number | undefined;
  #asked = false;
  #warnings = 0;
  #drawn = false;

  constructor(options: ProgressDisplayOptions) {
    this.#options = options;
    this.#timeLeft = new TimeLeft(options.clock);
    this.#live = options.stream.isTTY === true;
    options.stream.on('error', ignoreLostTerminal);
    if (!options.quiet) {
      this.#timer = setInterval(() => this.#show(), this.#live ? REDRAW_MS : LINE_MS);
      this.#timer.unref();
    }
  }

  readonly listener: Progress = (event) => {
    if (event.type === 'warning') {
      this.#warn(event);
    } else if (event.type === 'waiting') {
      this.#waiting = event;
    } else {
      // Items are no requests: where it begins or ends to be told what a run costs, the times before say nothing.
      if (event.stage !== this.#now?.stage || (event.effort === undefined) !== (this.#now.effort === undefined)) this.#restart();
      this.#now = event;
      this.#waiting = undefined;
      this.#timeLeft.note(doneOf(event));
    }
  };

  #restart(): void {
    this.#samples = [];
    this.#timeLeft.restart();
  }

  /** Ends the display and takes its line away. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
    const hidden = this.#warnings - WARNINGS_SHOWN;
    if (hidden > 0) this.#options.stream.write(`warning: ${plural(hidden, 'more warning')} of this kind not shown\n`);
    this.#warnings = 0;
    this.#options.stream.off('error', ignoreLostTerminal);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #warn({ item, code, message }: Extract<ProgressEvent, { type: 'warning' }>): void {
    this.#warnings++;
    if (this.#warnings > WARNINGS_SHOWN) return;
    this.#clear();
    this.#options.stream.write(`warning: ${printable(item)}: ${printable(message)} [${code}]\n`);
  }

  #show(): void {
    const { clock, stream } = this.#options;
    this.#askExpected();
    const now = this.#now;
    if (!now && !this.#waiting) return;
    if (now) this.#sample(now, clock.monotonic());
    const text = this.#text(now);
    if (!this.#live) {
      stream.write(`${text}\n`);
      return;
    }
    const width = Math.max(20, (stream.columns ?? 80) - 1);
    this.#clear();
    stream.write(text.length > width ? `${text.slice(0, width - 1)}…` : text);
    this.#drawn = true;
  }

  #askExpected(): void {
    if (this.#asked) return;
    this.#asked = true;
    // Only an estimate: a run does not fail because there is none.
    this.#options.expected?.().then((count) => {
      this.#expected = count;
    }, () => undefined);
  }

  #sample(now: Counted, at: number): void {
    this.#samples.push({ at, items: now.items, bytes: now.bytes });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > RATE_WINDOW_MS) this.#samples.shift();
  }

  #text(now: Counted | undefined): string {
    const parts: string[] = [];
    if (now) {
      const rate = this.#rate();
      const share = this.#share(now);
      parts.push(STAGES[now.stage] ?? printable(now.stage));
      if (share !== undefined) parts.push(this.#live ? bar(share) : `${Math.floor(share * 100)} %`);
      parts.push(itemsOf(now));
      if (now.bytes > 0) parts.push(bytesText(now.bytes));
      if (rate.bytes > 0) parts.push(`${bytesText(rate.bytes)}/s`);
      else if (rate.items > 0) parts.push(`${countText(rate.items)} items/s`);
      const left = this.#left(now);
      if (left !== undefined) parts.push(`${now.totalIsLeast === true ? 'at least' : 'about'} ${durationText(left)} left`);
    }
    if (this.#waiting) parts.push(this.#waitingText(this.#waiting));
    return parts.join('  ');
  }

  #waitingText({ for: what, untilMs }: Waiting): string {
    const left = untilMs === undefined ? 0 : untilMs - this.#options.clock.now();
    return `waiting for ${printable(what)}${left > 0 ? `, ${durationText(left)} more` : ''}`;
  }

  /** Per second, over the window. */
  #rate(): { items: number; bytes: number } {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    const seconds = first && last ? (last.at - first.at) / 1000 : 0;
    if (!first || !last || seconds < 0.5) return { items: 0, bytes: 0 };
    return { items: (last.items - first.items) / seconds, bytes: (last.bytes - first.bytes) / seconds };
  }

  /** How much is done, 0..1; undefined where nobody can say. */
  #share(now: Counted): number | undefined {
    const of = (done: number, total: number | undefined): number | undefined =>
      total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
    const expected = now.stage === 'store' ? this.#expected : undefined;
    // A share of what may be a small part only would be none.
    if (now.totalIsLeast === true) return undefined;
    // Past what was expected the estimate is worth nothing.
    if (expected !== undefined && now.items > expected) return of(now.bytes, now.totalBytes);
    return of(now.bytes, now.totalBytes) ?? of(now.items, now.totalItems ?? expected);
  }

  #left(now: Counted): number | undefined {
    const total = now.effort?.total ?? now.totalBytes ?? now.totalItems ?? (now.stage === 'store' ? this.#expected : undefined);
    return total === undefined ? undefined : this.#timeLeft.of(total);
  }

  #clear(): void {
    if (this.#drawn) this.#options.stream.write('\r\x1b[2K');
    this.#drawn = false;
  }
}

/** What the time left goes by. */
function doneOf({ items, bytes, totalBytes, effort }: Counted): number {
  return effort?.done ?? (totalBytes === undefined ? items : bytes);
}

function itemsOf({ items, totalItems, totalIsLeast }: Counted): string {
  if (totalItems === undefined) return plural(items, 'item');
  return `${countText(items)} of ${totalIsLeast === true ? 'at least ' : ''}${plural(totalItems, 'item')}`;
}

function bar(share: number): string {
  const full = Math.floor(share * BAR);
  return `[${'='.repeat(full)}${' '.repeat(BAR - full)}] ${Math.floor(share * 100)} %`;
}

/** Nobody looks any longer: the run goes on. */
function ignoreLostTerminal(): void {}
