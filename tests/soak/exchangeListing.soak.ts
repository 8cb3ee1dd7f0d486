import type { Soak } from '../../tools/soak.ts';
import { runNode } from '../scale/runNode.ts';

const ITEMS = Number(process.env['HOLDFAST_SOAK_ITEMS'] ?? 1_000_000);
const MOST_MB = 300;

/** The mail of a mailbox of a million items is listed in key order in less than 300 MB. Needs 1 GB under TMPDIR. */
export const soak: Soak = {
  name: 'exchangeListing',
  run: async () => {
    const { listed, peakMiB, cpuSeconds } = await runNode<{ listed: number; peakMiB: number; cpuSeconds: number }>('tests/bench/exchangeListing.ts', [String(ITEMS)], 3_600_000);
    const shown = `${listed} folders and mails of a mailbox of ${ITEMS} items listed in ${peakMiB} MiB and ${cpuSeconds} s of processor time`;
    if (listed < ITEMS * 0.75 || peakMiB * 1.048576 > MOST_MB) throw new Error(`${shown}: not all, or more than ${MOST_MB} MB`);
    return shown;
  },
};
