import type { Soak } from '../../tools/soak.ts';
import { exportMemory } from '../scale/flatMemory.ts';

/** The list of a part's entries grows up to its limit of 250,000: it is all that may. */
const MOST_GROWTH = 1.5;

/** Memory of an export does not grow with what is exported. */
export const soak: Soak = {
  name: 'exportMemory',
  run: async () => {
    const small = await exportMemory(100_000, 'zip');
    const large = await exportMemory(1_000_000, 'zip');
    const ratio = large.peakMiB / small.peakMiB;
    const shown = `100,000 items ${small.peakMiB} MiB, 1,000,000 items in ${large.parts} parts ${large.peakMiB} MiB at the peak: ${ratio.toFixed(2)} times`;
    if (large.items !== 1_000_000 || large.missing !== 0) throw new Error(`${large.items} items, ${large.missing} missing`);
    if (ratio > MOST_GROWTH) throw new Error(`${shown}, more than ${MOST_GROWTH}`);
    return shown;
  },
};
