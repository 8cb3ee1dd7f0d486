import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { proveGenerations, provePolicies } from '../repository/pointInTimeRounds.ts';
import { inScratch } from '../scale/runNode.ts';

const SIZES = { generations: 30, policies: 56 };

/** As tests/repository/pointInTime.test.ts, with more generations, and 50 policies besides the extremes. */
export const soak: Soak = {
  name: 'pointInTime',
  run: async ({ seed }) => await inScratch(async (directory) => {
    const options = { seed, ...SIZES, cache: (name: string) => join(directory, name) };
    await proveGenerations(options);
    const sizes = await provePolicies(options);
    return `${SIZES.generations} generations, ${sizes.length} policies: each snapshot lists and restores what was there then`;
  }),
};
