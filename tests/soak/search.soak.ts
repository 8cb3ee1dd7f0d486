import type { Soak } from '../../tools/soak.ts';
import { runLines } from '../scale/runNode.ts';

const MAILS = 1_000_000;
const MOST_MS = 20;
/** Timings that a median is of, at least. Few phrases have a second page: those two or three timings say nothing of phrases, and are told apart. */
const LEAST_TIMINGS = 20;

interface Line {
  readonly what: string;
  readonly count?: number;
  readonly medianMs?: number;
  readonly p95Ms?: number;
  readonly seconds?: number;
  readonly ms?: number;
  readonly megabytes?: number;
  readonly hits?: number;
  readonly differing?: string;
}

/**
 * Every kind of search among 1,000,000 mails: half of them in under 20 ms, the first one after the index was made too, and one of each kind finds what
 * a plain scan over all mails finds.
 */
export const soak: Soak = {
  name: 'search',
  run: async ({ seed }) => {
    const lines = await runLines<Line>('tests/bench/search.ts', [String(MAILS), String(seed)], 4 * 3_600_000);
    const one = (what: string): Line => lines.find((line) => line.what === what) ?? { what };
    const timed = lines.flatMap(({ what, count = 0, medianMs, p95Ms }) => (medianMs === undefined ? [] : [{ what, count, medianMs, p95Ms }]));
    const kinds = timed.filter(({ count }) => count >= LEAST_TIMINGS);
    const few = timed.filter(({ count }) => count < LEAST_TIMINGS).map(({ what, count, medianMs }) => `${what} ${medianMs} ms (${count} timings)`);
    if (kinds.length < 30) throw new Error(`the bench timed only ${kinds.length} kinds of searches`);
    const slowest = kinds.reduce((most, kind) => (kind.medianMs > most.medianMs ? kind : most));
    const shown = `${kinds.length} kinds of searches; the slowest, ${slowest.what}: ${slowest.medianMs} ms, 95 % within ${slowest.p95Ms} ms; index made in `
      + `${one('index').seconds} s, ${one('files').megabytes} MB with the catalog; the first search with an empty cache takes ${one('from nothing to the first hits').seconds} s, of which `
      + `${one('first search after opening').ms} ms are the search; too few for a median: ${few.join(', ')}`;
    const slow = kinds.filter(({ medianMs }) => medianMs >= MOST_MS).map(({ what, medianMs }) => `${what} ${medianMs} ms`);
    const { hits = 0, differing = 'it did not come so far' } = one('compared with a plain scan');
    if (differing !== '') throw new Error(`${shown}: otherwise than a plain scan: ${differing}`);
    if (slow.length > 0) throw new Error(`${shown}: not under ${MOST_MS} ms: ${slow.join(', ')}`);
    return `${shown}; one search of each kind finds what a plain scan finds, ${hits} hits`;
  },
};
