import type { Soak } from '../../tools/soak.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import { fuzzTargets } from '../fuzz/fuzzTargets.ts';

const MINUTES = Number(process.env['HOLDFAST_FUZZ_MINUTES'] ?? 5);

/** As tests/fuzz/fuzz.test.ts, five minutes for each parser: hours in all, which `--resume` lets one do in parts. */
export const soak: Soak = {
  name: 'fuzz',
  parts: fuzzTargets.map(({ name }) => name),
  run: async ({ seed, part }) => {
    const { cases, finds } = await fuzz([part], seed, MINUTES * 60_000);
    if (finds.length > 0) throw new Error(finds.join('\n'));
    return `${cases.get(part)} inputs in ${MINUTES} min of its own work: no crash, no hang, no growth of memory`;
  },
};
