import type { Soak } from '../../tools/soak.ts';
import { backupMemory } from '../scale/flatMemory.ts';

const MOST_GROWTH = 1.25;

/** Memory of a backup does not grow with what is backed up. */
export const soak: Soak = {
  name: 'flatMemory',
  run: async () => {
    const small = await backupMemory(100_000);
    const large = await backupMemory(1_000_000);
    const ratio = large.peakMiB / small.peakMiB;
    const shown = `100,000 items ${small.peakMiB} MiB, 1,000,000 items ${large.peakMiB} MiB at the peak: ${ratio.toFixed(2)} times`;
    if (large.items !== 1_000_000 || large.status !== 'complete') throw new Error(`${large.items} items, ${large.status}`);
    if (ratio > MOST_GROWTH) throw new Error(`${shown}, more than ${MOST_GROWTH}`);
    return shown;
  },
};
