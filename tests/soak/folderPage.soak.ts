import type { Soak } from '../../tools/soak.ts';
import { runLines } from '../scale/runNode.ts';

const MOST_MS = 5;

interface Line {
  readonly what: string;
  readonly medianMs?: number;
  readonly p95Ms?: number;
}

/** A page of a folder at any of 100 points in time of 1,000,000 items: half of them in at most 5 ms, whatever the order. */
export const soak: Soak = {
  name: 'folderPage',
  run: async () => {
    const lines = await runLines<Line>('tests/bench/catalog.ts', ['1000000', '100'], 3_600_000);
    const pages = lines.flatMap(({ what, medianMs, p95Ms }) => (what.startsWith('page') && medianMs !== undefined ? [{ what, medianMs, p95Ms }] : []));
    if (pages.length === 0) throw new Error('the bench timed no page');
    const slowest = pages.reduce((most, page) => (page.medianMs > most.medianMs ? page : most));
    const shown = `${pages.length} kinds of pages; the slowest, ${slowest.what}: ${slowest.medianMs} ms, 95 % within ${slowest.p95Ms} ms`;
    if (slowest.medianMs > MOST_MS) throw new Error(`${shown}: more than ${MOST_MS} ms`);
    return shown;
  },
};
