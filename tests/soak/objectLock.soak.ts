import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Soak } from '../../tools/soak.ts';
import { inScratch } from '../scale/runNode.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEST = 'tests/repository/objectLock.test.ts';
const WHERE = 'on a service';
const LEAST_CASES = 15;
const MOST_MS = 60 * 60_000;

/** The cases of the object lock that a service can show, on a real one; the tests have a quarter of them there, and all in memory. There is nothing random in them. */
export const soak: Soak = {
  name: 'objectLock',
  run: async () => {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    return await inScratch(async (directory) => {
      const report = join(directory, 'report.json');
      // A case that fails ends it with 1; which one, the report says.
      const ended = await promisify(execFile)(process.execPath, [vitest, 'run', TEST, '-t', WHERE, '--reporter=json', `--outputFile=${report}`],
        { cwd: ROOT, env: { ...process.env, HOLDFAST_LOCKS: 'service' }, timeout: MOST_MS, maxBuffer: 1 << 26 }).then(() => undefined, (error: unknown) => error);
      const text = await readFile(report, 'utf8').catch((error: unknown) => { throw ended ?? error; });
      return `${passedOf(text)} cases of the object lock hold on Ceph`;
    });
  },
};

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[] }[];
}

/** All cases on the service were run, and there were some: a filter that meets nothing passes, too. */
function passedOf(report: string): number {
  const { testResults } = JSON.parse(report) as Report;
  const cases = testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ fullName }) => fullName.includes(WHERE));
  const left = cases.filter(({ status }) => status !== 'passed').map(({ fullName }) => fullName);
  if (cases.length < LEAST_CASES || left.length > 0) throw new Error(`${cases.length - left.length} cases held on the service, fewer than there should be: ${left.join('; ')}`);
  return cases.length;
}
