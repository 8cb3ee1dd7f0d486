import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { CopyRounds } from '../repository/copyRounds.ts';

const KILLS = 200;

/** As tests/repository/copyCrash.test.ts, with more kills. */
export const soak: Soak = {
  name: 'copy',
  run: async ({ seed }) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-copy-'));
    try {
      const { kills, pruning, halfway } = await new CopyRounds(folder, seed).run(KILLS);
      return `${kills} kills of copies (${pruning} with --prune; ${halfway} between a manifest and its seal or in a deletion): `
        + 'every check of the copy clean, every snapshot in it restored, every rerun brought all';
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
