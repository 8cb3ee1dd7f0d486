import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { IN_MEMORY } from '../repository/fixture.ts';
import { STOPPED_CASES } from '../repository/stoppedCases.ts';
import { StoppedRounds } from '../repository/stoppedRounds.ts';
import { inScratch } from '../scale/runNode.ts';

const PAIRS = 200;

/** As tests/repository/writersAndPruner.test.ts, at every operation and at more pairs. */
export const soak: Soak = {
  name: 'writersAndPruner',
  run: async ({ seed }) => await inScratch(async (directory) => {
    const rounds = new StoppedRounds({ place: IN_MEMORY, cache: (name) => join(directory, name), seed });
    const shown: string[] = [];
    for (const { name, run } of STOPPED_CASES) {
      shown.push(`${name}: ${await run(rounds, 1)} operations`);
      console.log(shown.at(-1));
    }
    await rounds.pairs(PAIRS);
    return `${shown.join('; ')}; ${PAIRS} pairs: nothing sealed lost, nobody failed`;
  }),
};
