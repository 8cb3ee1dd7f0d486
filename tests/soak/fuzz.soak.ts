import type { Soak } from '../../tools/soak.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import { fuzzTargets } from '../fuzz/fuzzTargets.ts';

const MINUTES = Number(process.env['HOLDFAST_FUZZ_MINUTES'] ?? 5);

/** As tests/fuzz/fuzz.test.ts, five minutes for each parser. */
export const soak: Soak = {
  name: 'fuzz',
  run: async ({ seed }) => {
    const { cases, finds } = await fuzz(fuzzTargets.map(({ name }) => name), seed, MINUTES * 60_000);
    if (finds.length > 0) throw new Error(finds.join('\n'));
    const total = [...cases.values()].reduce((sum, count) => sum + count, 0);
    return `${total} inputs for ${cases.size} parsers, ${MINUTES} min each: no crash, no hang, no growth of memory`;
  },
};
