import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { ProofsOnS3 } from '../repository/onS3.ts';
import { inScratch } from '../scale/runNode.ts';
import { soakSize } from './soakShare.ts';

const KILLS = soakSize(150);
const STEP = Math.max(2, Math.round(2 * (150 / KILLS)));
const PAIRS = soakSize(40);
const DAMAGES = soakSize(150);
const FAULT_ROUNDS = soakSize(20);
const FAULT_SHARE = 0.15;

type Proof = (proofs: ProofsOnS3, directory: string) => Promise<string>;

const parts: Readonly<Record<string, Proof>> = {
  crashes: async (proofs, directory) => {
    const folder = join(directory, 'crash');
    await mkdir(folder);
    const { kills, sealed, unsealed } = await proofs.crashes(KILLS, folder);
    return `${KILLS} kills (backup ${kills.backup}, prune ${kills.prune}, rebuild ${kills.rebuild}; ${sealed} runs had sealed, ${unsealed} not)`;
  },
  stopped: async (proofs) => {
    const steps = await proofs.stopped(STEP);
    await proofs.pairs(PAIRS);
    return `writer and pruner stopped at every ${STEP}th of ${steps} steps and at ${PAIRS} pairs`;
  },
  damages: async (proofs) => {
    await proofs.damages(DAMAGES);
    return `${DAMAGES} damages, each named with what it hits`;
  },
  faults: async (proofs) => {
    const { struck, failed } = await proofs.faults(FAULT_SHARE, FAULT_ROUNDS);
    return `${struck} requests that failed, were slow, cut off or without a reply (${failed} runs without retry failed in words)`;
  },
};

/** Crashes, several at once, damage and broken requests, on buckets of a real service. Run by hand: `npm test` leaves it out. */
export const soak: Soak = {
  name: 's3',
  parts: Object.keys(parts),
  run: async ({ seed, part }) => await inScratch(async (directory) => {
    const proof = parts[part];
    if (!proof) throw new Error(`there is no part "${part}"`);
    const proofs = await ProofsOnS3.start((name) => join(directory, name), seed);
    try {
      return `on Ceph: ${await proof(proofs, directory)}: nothing sealed lost, no wrong byte, every rerun finished`;
    } finally {
      await proofs.stop();
    }
  }),
};
