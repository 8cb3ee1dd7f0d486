import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Soak } from '../../tools/soak.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEST = 'tests/repository/objectLock.test.ts';
const MOST_MS = 60 * 60_000;

/** All cases of the object lock on a real service; the tests have the half of them there, and all in memory. There is nothing random in them. */
export const soak: Soak = {
  name: 'objectLock',
  run: async () => {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [vitest, 'run', TEST, '-t', 'on a service', '--reporter=json'],
      { cwd: ROOT, env: { ...process.env, HOLDFAST_LOCKS: 'service' }, timeout: MOST_MS, maxBuffer: 1 << 26 });
    const { numPassedTests } = JSON.parse(stdout) as { numPassedTests: number };
    return `${numPassedTests} cases of the object lock hold on Ceph`;
  },
};
