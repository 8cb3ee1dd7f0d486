import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { ProofsOnS3 } from '../repository/onS3.ts';
import { inScratch } from '../scale/runNode.ts';

const KILLS = 150;
const STEP = 2;
const PAIRS = 40;
const DAMAGES = 150;
const FAULT_ROUNDS = 20;

/** Crashes, several at once, damage and broken requests, on buckets of a real service. Run by hand: `npm test` leaves it out. */
export const soak: Soak = {
  name: 's3',
  run: async ({ seed }) => await inScratch(async (directory) => {
    const proofs = await ProofsOnS3.start((name) => join(directory, name), seed);
    try {
      await mkdir(join(directory, 'crash'));
      const { kills, sealed, unsealed } = await proofs.crashes(KILLS, join(directory, 'crash'));
      const steps = await proofs.stopped(STEP);
      await proofs.pairs(PAIRS);
      await proofs.damages(DAMAGES);
      const { struck, failed } = await proofs.faults(0.15, FAULT_ROUNDS);
      return `on Ceph: ${KILLS} kills (backup ${kills.backup}, prune ${kills.prune}, rebuild ${kills.rebuild}; ${sealed} runs had sealed, ${unsealed} not), `
        + `writer and pruner stopped at every ${STEP}nd of ${steps} steps and at ${PAIRS} pairs, ${DAMAGES} damages, ${struck} broken requests `
        + `(${failed} runs without retry failed in words): nothing sealed lost, no wrong byte, every rerun finished`;
    } finally {
      await proofs.stop();
    }
  }),
};
