import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { CrashRounds } from '../repository/crashRounds.ts';

const KILLS = 400;

/** As tests/repository/crash.test.ts, with more kills. */
export const soak: Soak = {
  name: 'crash',
  run: async ({ seed }) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
    try {
      const { kills, sealed, unsealed, checkpoints } = await new CrashRounds(folder, seed).run(KILLS, console.log);
      return `${KILLS} kills (backup ${kills.backup}, prune ${kills.prune}, rebuild ${kills.rebuild}; ${sealed} runs had sealed, `
        + `${unsealed} not; ${checkpoints} checkpoints found): every check clean, every sealed snapshot restored, every rerun finished`;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
