import type { Soak } from '../../tools/soak.ts';
import { indexFigures } from '../scale/indexMemory.ts';

const MOST_MIB = 500;

/** An index of 100 million blobs works in under 500 MB. Needs 8 GB under TMPDIR. */
export const soak: Soak = {
  name: 'blobIndex',
  run: async () => {
    const figures = await indexFigures(100_000_000, 2_000_000);
    const { blobs, peakMiB, hitMicroseconds, missMicroseconds, falseAlarmRate, claims } = figures;
    const shown = `${blobs} blobs in ${peakMiB} MiB with ${claims} claims; ${hitMicroseconds} µs a hit, ${missMicroseconds} µs a miss, `
      + `${(falseAlarmRate * 100).toFixed(2)} % false alarms a segment`;
    if (peakMiB * 1.048576 > MOST_MIB) throw new Error(`${shown}: more than ${MOST_MIB} MB`);
    return shown;
  },
};
