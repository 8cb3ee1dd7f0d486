import { mkdir } from 'node:fs/promises';
import type { Soak } from '../../tools/soak.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { catalogGrowth } from '../scale/catalogGrowth.ts';
import { inScratch } from '../scale/runNode.ts';

const MOST_BYTES = 200_000;

/** 1,000 changes in 1,000,000 items store under 200 KB of catalog. */
export const soak: Soak = {
  name: 'catalogGrowth',
  run: async () => await inScratch(async (directory) => {
    await mkdir(`${directory}/repository`);
    const growth = await catalogGrowth(1_000_000, 1000, await FileStorage.open(`${directory}/repository`));
    const shown = `${growth.changed} changes in ${growth.items} items: ${growth.segmentBytes} bytes of catalog `
      + `(the first run's ${growth.baseBytes}), ${growth.recordBytes} bytes of records in all`;
    if (growth.changed !== 1000 || growth.fetched !== 1000) throw new Error(`${shown}; ${growth.fetched} fetched`);
    if (growth.segmentBytes > MOST_BYTES) throw new Error(`${shown}: more than ${MOST_BYTES}`);
    return shown;
  }),
};
