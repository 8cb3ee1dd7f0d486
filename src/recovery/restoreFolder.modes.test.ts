import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { never, ScratchRepository, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { runBackup } from '../backup/index.ts';
import type { Descriptor } from '../connectors/contract.ts';
import { descriptor, openSource } from '../connectors/folder/index.ts';
import { systemClock } from '../runtime/index.ts';
import { restoreFolder, type RestoreFolderOptions } from './restoreFolder.ts';
import type { RestoreReport } from './restoreReport.ts';

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);
const USUAL = (0o777 & ~process.umask()).toString(8);

async function backUpAndRestore(scratch: ScratchRepository, options: Partial<RestoreFolderOptions> = {}): Promise<RestoreReport> {
  const source = await openSource({ path: scratch.path('source') });
  const manifest = await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock, workers: 1 });
  await source.close();
  return restoreFolder(scratch.repository, manifest, {
    to: scratch.path('made', 'to'), descriptor, signal: never, progress: unheard, workers: 1, ...options,
  });
}

async function scratchWithSource(): Promise<ScratchRepository> {
  const scratch = await ScratchRepository.make();
  onTestFinished(() => scratch[Symbol.dispose]());
  mkdirSync(scratch.path('source'));
  return scratch;
}

test('folders are private until everything is in them, and have their own modes in the end', async () => {
  const scratch = await scratchWithSource();
  chmodSync(scratch.path('source'), 0o750);
  for (const [name, mode] of [['private', 0o700], ['open', 0o775], ['sealed', 0o555]] as const) {
    mkdirSync(scratch.path('source', name));
    for (let i = 0; i < 8; i++) writeFileSync(scratch.path('source', name, `f${i}`), `${name} ${i}`);
    chmodSync(scratch.path('source', name), mode);
  }
  const to = scratch.path('made', 'to');
  const seen = new Set<string>();
  const look = (name: string): void => {
    const path = join(to, name);
    if (existsSync(path)) seen.add(`${name || 'root'} ${modeOf(path)}${existsSync(join(path, 'f7')) ? ' with files' : ''}`);
  };
  let finishing = false;
  // The restore asks for each entry in each of its passes, so that this sees every folder before it is finished.
  const watching: Descriptor = {
    ...descriptor,
    onDisk: (row) => {
      finishing ||= existsSync(join(to, 'sealed', 'f7'));
      if (row.kind !== 'folder' || !finishing) for (const name of ['', 'private', 'open', 'sealed']) look(name);
      return descriptor.onDisk(row);
    },
  };
  const report = await backUpAndRestore(scratch, { descriptor: watching });
  expect(report).toMatchObject({ written: 24, folders: 4, failed: 0 });
  expect(finishing).toBe(true);
  expect([...seen].filter((one) => !/ 700( with files)?$/.test(one))).toEqual([]);
  expect(seen).toContain('private 700');
  expect([to, ...['private', 'open', 'sealed'].map((name) => join(to, name))].map(modeOf)).toEqual(['750', '700', '775', '555']);
  expect(modeOf(scratch.path('made'))).toBe(USUAL);
  chmodSync(join(to, 'sealed'), 0o755);
  chmodSync(scratch.path('source', 'sealed'), 0o755);
});

test('folders without a mode of their own get the usual one where they are made, and keep theirs where they stood', async () => {
  const scratch = await scratchWithSource();
  for (const name of ['stood', 'new']) mkdirSync(scratch.path('source', name), { mode: 0o700 });
  const bare: Descriptor = { ...descriptor, onDisk: (row) => ({ name: descriptor.onDisk(row).name }) };
  const to = scratch.path('made', 'to');
  await backUpAndRestore(scratch, { descriptor: bare });
  expect([to, join(to, 'stood'), join(to, 'new')].map(modeOf)).toEqual([USUAL, USUAL, USUAL]);
  const second = scratch.path('second');
  mkdirSync(join(second, 'stood'), { recursive: true, mode: 0o711 });
  await backUpAndRestore(scratch, { descriptor: bare, to: second });
  expect([second, join(second, 'stood'), join(second, 'new')].map(modeOf)).toEqual(['711', '711', USUAL]);
});

test.runIf(process.getuid?.() === 0).each([3, 12])('%i files come back with their owner and setuid, whichever way they are written', async (count) => {
  const scratch = await scratchWithSource();
  for (let i = 0; i < count; i++) {
    const path = scratch.path('source', `f${i}`);
    writeFileSync(path, `x${i}`);
    chownSync(path, 1234, 1235);
    chmodSync(path, 0o4755);
  }
  const to = scratch.path('made', 'to');
  expect(await backUpAndRestore(scratch)).toMatchObject({ written: count, failed: 0, issues: [] });
  for (let i = 0; i < count; i++) {
    const { uid, gid, mode } = statSync(join(to, `f${i}`));
    expect([uid, gid, (mode & 0o7777).toString(8)]).toEqual([1234, 1235, '4755']);
  }
});
