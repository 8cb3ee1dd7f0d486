import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { never, ScratchRepository, sha256, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { runBackup } from '../backup/index.ts';
import { openSource } from '../connectors/folder/index.ts';
import { systemClock } from '../runtime/index.ts';
import type { ItemRow } from '../domain/index.ts';
import { frameBytes } from './frame.ts';
import type { FrameNeed, ReadRequest } from './readProtocol.ts';
import { stateRows } from './state.ts';

const MIB = 1024 * 1024;
const heldBytes = (frames: readonly FrameNeed[]): number => frames.reduce((sum, frame) => sum + frameBytes(frame.plainLength), 0);

/** Small files between large ones that cannot be compressed: each of the small ones lies in another frame. */
test('items of a batch that lie in many frames are read in parts of bounded size, in their order', async () => {
  using scratch = await ScratchRepository.make();
  mkdirSync(scratch.path('source'));
  const expected: string[] = [];
  for (let i = 0; i < 60; i++) {
    const small = randomBytes(5000);
    expected.push(sha256(small));
    writeFileSync(scratch.path('source', `${100 + i}a`), small);
    writeFileSync(scratch.path('source', `${100 + i}b`), randomBytes(MIB));
  }
  const source = await openSource({ path: scratch.path('source') });
  const manifest = await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock, workers: 1 });
  const rows: ItemRow[] = [];
  const { storage, keyring } = scratch.repository.context;
  for await (const batch of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) rows.push(...batch);

  const posted = vi.spyOn(Worker.prototype, 'postMessage');
  onTestFinished(() => posted.mockRestore());
  const read = await scratch.repository.reading(manifest, { purpose: 'test', workers: 1, signal: never }, async (reader) => {
    const { results } = await reader.read(rows.filter((row) => row.size === 5000).map((row) => ({ row })));
    return results;
  });
  expect(read.map((result) => ('bytes' in result ? sha256(result.bytes) : result))).toEqual(expected);
  const held = posted.mock.calls.map(([message]) => message as ReadRequest)
    .flatMap((message) => (message.type === 'batch' ? [heldBytes(message.frames)] : []));
  expect(held.length).toBeGreaterThan(1);
  expect(Math.max(...held)).toBeLessThan(34 * MIB);
});
