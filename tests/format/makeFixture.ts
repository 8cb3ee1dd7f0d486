/**
 * Makes the frozen repository of the format's version in a folder: run `bin/node tests/format/makeFixture.ts tests/format/v1`.
 * Refuses where the folder has anything in it: a released fixture is never made again (see README.md).
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatRecoveryKey, makeKeyFile } from '../../src/repository/index.ts';
import { FileStorage } from '../../src/storage/index.ts';
import { makeSample } from './sampleRepository.ts';
import { seededRandom } from './seeded.ts';

/** Its path is part of the repository, so it is always the same. */
const WORK = '/tmp/holdfast-format-v1';

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('Say where: makeFixture.ts FOLDER');
if (existsSync(target) && readdirSync(target).length > 0) {
  console.error(`${target} is not empty. A fixture is made once; while its version is not released, delete it first.`);
  process.exit(1);
}
mkdirSync(join(target, 'repository'), { recursive: true });
mkdirSync(join(WORK, 'documents'), { recursive: true });
try {
  const storage = await FileStorage.create(join(target, 'repository'), seededRandom('temporary names'));
  const sample = await makeSample(storage, join(WORK, 'documents'), join(WORK, 'cache'), 'frozen version 1');
  makeKeyFile(join(target, 'operator.key'), () => sample.operatorKey);
  writeFileSync(join(target, 'recovery.txt'), `${formatRecoveryKey(sample.recoveryKey)}\n`);
  const { snapshots, secrets } = sample;
  writeFileSync(join(target, 'expected.json'), `${JSON.stringify({ snapshots, secrets }, undefined, 1)}\n`);
  rmSync(join(target, 'repository', '~tmp'), { recursive: true, force: true });
} finally {
  rmSync(WORK, { recursive: true, force: true });
}
