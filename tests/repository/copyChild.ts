/** What the crash test of copies kills: `node copyChild.ts <source> <target> <cache> <key> <prune>`. Says 'ready' before it starts and 'done' at its end. */
import assert from 'node:assert/strict';
import { copyRepository, Repository } from '../../src/repository/index.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';

export async function runCopy(repository: Repository, target: Storage, prune: boolean): Promise<void> {
  assert.deepEqual((await copyRepository(repository, target, { prune })).findings, []);
}

if (import.meta.main) {
  const [source = '', target = '', cacheDirectory = '', key = '', prune = ''] = process.argv.slice(2);
  const repository = await Repository.open(await openStorage(source), Buffer.from(key, 'hex'), { cacheDirectory });
  const place = await openStorage(target, { create: true });
  process.stdout.write('ready\n');
  await runCopy(repository, place, prune === 'true');
  process.stdout.write('done\n');
}
