import type { Soak } from '../../tools/soak.ts';
import { inScratch, runNode } from '../scale/runNode.ts';

const ITEMS = Number(process.env['HOLDFAST_SOAK_ITEMS'] ?? 1_000_000);
/** That each half of the part `resume` asks for. */
const CONTENTS = 5000;
/** That a kill may cost. */
const PAGE = 1000;
const MOST_MB = 300;
const MOST_MS = 3_600_000;

const parts: Readonly<Record<string, () => Promise<string>>> = {
  whole: async () => {
    const { listed, peakMiB, cpuSeconds } = await runNode<{ listed: number; peakMiB: number; cpuSeconds: number }>('tests/bench/exchangeListing.ts', [String(ITEMS)], MOST_MS);
    const shown = `${listed} folders and mails of a mailbox of ${ITEMS} items listed in ${peakMiB} MiB and ${cpuSeconds} s of processor time`;
    if (listed < ITEMS * 0.75 || peakMiB * 1.048576 > MOST_MB) throw new Error(`${shown}: not all, or more than ${MOST_MB} MB`);
    return shown;
  },
  resume: async () => await inScratch(async (directory) => {
    const contents = Math.min(CONTENTS, Math.floor(ITEMS / 4));
    const run = await runNode<{ contents: number; again: number; peakMiB: number; cpuSeconds: number }>('tests/bench/exchangeResume.ts', [String(ITEMS), String(contents), directory], 2 * MOST_MS);
    const shown = `a backup of a mailbox of ${ITEMS} items, killed after ${contents} contents, lists anew and goes on: ${run.again} contents asked for again, ${run.peakMiB} MiB at the peak of both, ${run.cpuSeconds} s of processor time`;
    if (run.again > PAGE || run.contents < 2 * contents - PAGE || run.peakMiB * 1.048576 > MOST_MB) throw new Error(`${shown}: more than ${PAGE}, or than ${MOST_MB} MB`);
    return shown;
  }),
};

/** The mail of a mailbox of a million items is listed in key order in less than 300 MB, also by a run that goes on with a killed one. Needs 2 GB under TMPDIR. */
export const soak: Soak = {
  name: 'exchangeListing',
  parts: Object.keys(parts),
  run: async ({ part }) => {
    const proof = parts[part];
    if (!proof) throw new Error(`there is no part "${part}"`);
    return await proof();
  },
};
