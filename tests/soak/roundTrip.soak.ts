import { mkdir } from 'node:fs/promises';
import type { Soak } from '../../tools/soak.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { mailsThereAndBack } from '../roundTrip/mailRounds.ts';
import { inScratch } from '../scale/runNode.ts';

const MAILS = 20_000;
const ROUNDS = 3;

/** Thousands of generated mails there and back, then changed at random and there and back again. */
export const soak: Soak = {
  name: 'roundTrip',
  run: async ({ seed }) => await inScratch(async (directory) => {
    await mkdir(`${directory}/repository`);
    const mails = await mailsThereAndBack(await FileStorage.open(`${directory}/repository`), { mails: MAILS, rounds: ROUNDS, seed });
    return `${mails} mails in ${ROUNDS + 1} snapshots came back as another client sees them`;
  }),
};
