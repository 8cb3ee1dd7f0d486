import { expect, onTestFinished, test } from 'vitest';
import { never, ScratchRepository, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { found, listing, ScriptedSource } from '../../tests/sources/scriptedSource.ts';
import { runBackup } from '../backup/index.ts';
import type { RestoreItem, SourceChange, TargetSession } from '../connectors/contract.ts';
import { descriptor } from '../connectors/imap/index.ts';
import { COMPANION, companionKey, type ItemRow } from '../domain/index.ts';
import { check, erase, stateRows, type Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { FileSink } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { browseDifference } from './browseDifference.ts';
import { rowsOf, SnapshotBrowser } from './browseSnapshot.ts';
import { exportSnapshot } from './exportSnapshot.ts';
import { restoreFolder } from './restoreFolder.ts';
import { restoreToTarget } from './restoreToTarget.ts';
import { stateDifference } from './stateDifference.ts';

const mail = (key: string, change = 'v1'): SourceChange => found(key, { name: `Mail ${key}`, parent: 'F', kind: 'mail', change });
const stream = (key: string, change = 'v1'): SourceChange => found(companionKey(key), { name: `Mail ${key}`, parent: key, kind: COMPANION, change });
const folder = found('F', { name: 'Inbox', parent: '', kind: 'folder' }, { from: 'none' });

interface Bench {
  readonly scratch: ScratchRepository;
  readonly storage: MemoryStorage;
  backUp(...changes: readonly SourceChange[]): Promise<Manifest>;
}

async function bench(): Promise<Bench> {
  const storage = new MemoryStorage();
  const scratch = await ScratchRepository.make(storage);
  onTestFinished(() => scratch[Symbol.dispose]());
  const contents = { [companionKey('a')]: 'whole a', [companionKey('b')]: 'whole b', [companionKey('d')]: { state: 'failed', code: 'unreadable', message: 'No.' } } as const;
  const backUp = async (...changes: readonly SourceChange[]): Promise<Manifest> =>
    await runBackup(scratch.repository, new ScriptedSource({ changes: [listing(...changes)], contents }), { signal: never, progress: unheard, clock: systemClock, workers: 1 });
  return { scratch, storage, backUp };
}

const ALL = [folder, mail('a'), stream('a'), mail('b'), stream('b'), mail('c')];

test('a companion is no item: it is not counted, listed, compared, searched, exported or written into a folder', async () => {
  const { scratch, backUp } = await bench();
  const first = await backUp(...ALL);
  expect(first.counts).toMatchObject({ items: 3, folders: 1, added: 4, bytes: 3 + 2 * 'whole a'.length });
  const browser = new SnapshotBrowser(scratch.repository, first, { keys: 'opaque' });
  const names: string[] = [];
  for await (const placed of browser.below()) names.push(...placed.map(({ path }) => path));
  expect(names).toEqual(['Inbox', 'Inbox/Mail a', 'Inbox/Mail b', 'Inbox/Mail c']);
  const common = { descriptor, signal: never, progress: unheard, workers: 1 };
  for (const format of ['eml', 'mbox', 'zip'] as const) {
    expect(await exportSnapshot(scratch.repository, first, { ...common, sink: new FileSink(scratch.path(format)), format, partSize: 5e9 }), format).toMatchObject({ items: 3, missing: 0, issues: [] });
  }
  expect(await restoreFolder(scratch.repository, first, { ...common, to: scratch.path('disk') })).toMatchObject({ written: 3, issues: [] });
  const second = await backUp(folder, mail('a'), stream('a', 'v2'), mail('b'), mail('c'));
  expect(second.counts).toMatchObject({ items: 3, added: 0, changed: 0, removed: 0, bytes: 3 + 'whole a'.length });
  for await (const differences of browseDifference(scratch.repository, first, second, { keys: 'opaque' })) expect(differences).toEqual([]);
  // What the catalog, and so the search, is made of.
  const known: string[] = [];
  for await (const changes of stateDifference(rowsOf(scratch.repository, first), undefined, first)) known.push(...changes.map((change) => ('row' in change ? change.row.key : change.removed)));
  for await (const changes of stateDifference(rowsOf(scratch.repository, first), first, second)) expect(changes).toEqual([]);
  expect(known).toEqual(['F', 'a', 'b', 'c']);
});

test('a restore hands an item out with its companion, unless that is not whole, and reads what the target chooses', async () => {
  const { scratch, backUp } = await bench();
  const manifest = await backUp(...ALL, mail('d'), stream('d'));
  const seen: string[] = [];
  const target: TargetSession = {
    plan: (items) => Promise.resolve(items.map(() => ({ result: 'written' }))),
    folder: () => Promise.resolve({ result: 'written' }),
    reads: ({ row, companion = row }: RestoreItem): Promise<ItemRow> => Promise.resolve(row.key === 'b' ? row : companion),
    write: async ({ row, companion }, bytes, _signal, read) => {
      const other = companion !== undefined && read !== undefined ? await read(row.key === 'b' ? companion : row) : Buffer.from('none');
      seen.push([row.key, bytes, other].map((part) => Buffer.from(part).toString()).join(' '));
      return { result: 'written' };
    },
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  expect(await restoreToTarget(scratch.repository, manifest, target, { signal: never, progress: unheard, workers: 1 })).toMatchObject({ written: 4, issues: [] });
  expect(seen).toEqual(['a whole a a', 'b b whole b', 'c c none', 'd d none']);
});

test('what is erased takes its companion along', async () => {
  const { scratch, backUp } = await bench();
  const manifest = await backUp(...ALL);
  const { items } = await erase(scratch.repository, manifest.tag, { keys: new Set(['a']), prefixes: [] });
  expect([...items.keys()]).toEqual(['a']);
  const [{ manifest: after } = { manifest }] = await scratch.repository.snapshots();
  expect(after.counts).toMatchObject({ items: 2, folders: 1 });
  const keys: string[] = [];
  for await (const rows of stateRows(rowsOf(scratch.repository, after), after.layers)) keys.push(...rows.map(({ key }) => key));
  expect(keys).toEqual(['F', 'b', companionKey('b'), 'c']);
  expect((await check(scratch.repository, { readData: 100, workers: 1 })).errors).toEqual([]);
});
