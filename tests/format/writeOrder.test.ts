import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratch } from '../../src/runtime/index.ts';
import { InterceptedStorage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import type { StorageCall } from '../../src/storage/index.ts';
import { objectsOf, readIndependently } from './compareSample.ts';
import { IndependentReader } from './independentReader.ts';
import { makeSample } from './sampleRepository.ts';

/** What a kill after each operation would leave. */
interface Moment {
  readonly after: string;
  readonly objects: ReadonlyMap<string, Buffer>;
}

/** Keeps all objects as they were after each seal and each deletion, and counts puts by name. */
class Watched extends InterceptedStorage {
  readonly moments: Moment[] = [];
  readonly puts = new Map<string, number>();

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    const result = await run();
    if (call.operation === 'put') this.puts.set(call.name, (this.puts.get(call.name) ?? 0) + 1);
    const counts = call.operation === 'delete' || (call.operation === 'put' && call.name.startsWith('seals/'));
    if (counts) this.moments.push({ after: `${call.operation} ${call.name}`, objects: await objectsOf(this.inner) });
    return result;
  }
}

test('I7, I20: after each seal and each deletion all that is sealed can be read; names are put once', async () => {
  await using scratch = await makeScratch('format-test');
  const folder = join(scratch.path, 'house of ada');
  mkdirSync(folder);
  const watched = new Watched(new MemoryStorage());
  const sample = await makeSample(watched, folder, join(scratch.path, 'cache'), 'write order');
  let read = 0;
  for (const { after, objects } of watched.moments) {
    const reader = new IndependentReader(objects, sample.operatorKey);
    const snapshots = await readIndependently(reader).catch((error: unknown) => { throw new Error(`after ${after}`, { cause: error }); });
    for (const snapshot of snapshots) {
      const expected = sample.snapshots.find(({ id }) => id === snapshot.id);
      if (expected) expect(snapshot, `after ${after}`).toEqual(expected);
    }
    read += snapshots.length;
  }
  expect(watched.moments.length).toBeGreaterThan(20);
  expect(read).toBeGreaterThan(50);
  const again = [...watched.puts].filter(([name, count]) => count > 1 && !/^(checkpoints|doomed)\//.test(name));
  expect(again).toEqual([]);
});
