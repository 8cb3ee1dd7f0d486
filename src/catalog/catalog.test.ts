import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ItemRow, RowChange } from '../domain/index.ts';
import { Catalog } from './catalog.ts';
import { followSnapshots } from './followSnapshots.ts';
import { generated } from './testing/generated.ts';
import { batches, changesBetween, differences, row, rowsOf, snapshotOf } from './testing/model.ts';
import type { ModelSnapshot } from './testing/model.ts';
import { addAll, scratchDirectory } from './testing/scratch.ts';
import { WorkerLink } from './workerLink.ts';

let directory: ReturnType<typeof scratchDirectory>;
let catalog: Catalog;
const open = () => Catalog.open({ directory: directory.path, entity: 'test', generation: '1' });

beforeEach(async () => {
  directory = scratchDirectory();
  catalog = await open();
});

afterEach(async () => {
  await catalog.close().catch(() => undefined);
  directory[Symbol.dispose]();
});

const code = (value: string) => expect.objectContaining({ code: value });

async function allRows(id: string): Promise<ItemRow[]> {
  const rows: ItemRow[] = [];
  for await (const batch of catalog.rows(id)) rows.push(...batch);
  return rows;
}

function sourceOf(snapshots: readonly ModelSnapshot[]) {
  const state = (id: string | undefined) => snapshots.find((snapshot) => snapshot.id === id)?.state;
  const changes = (from: string | undefined, to: string) => {
    return batches(changesBetween(state(from), state(to) ?? new Map()));
  };
  return { snapshots, changes };
}

test('answers through the worker, and again after it was closed and opened', async () => {
  const snapshots = generated(4);
  const [first, second, third, last] = snapshots as [ModelSnapshot, ModelSnapshot, ModelSnapshot, ModelSnapshot];
  await addAll(catalog, snapshots);
  await catalog.close();
  catalog = await open();
  expect(await catalog.snapshots()).toEqual(snapshots.map(({ id }) => id));
  for (const { id, state } of snapshots) expect(await allRows(id)).toEqual(rowsOf(state));
  const below: ItemRow[] = [];
  for await (const batch of catalog.below(second.id, 'F')) below.push(...batch);
  expect(below.length).toBe(second.state.size - 1);
  expect(await catalog.childCount(second.id, '')).toEqual({ folders: 1, items: 0, bytes: 0 });
  expect((await catalog.childCount(second.id, 'F')).items).toBe(second.state.size - 1);
  expect(await catalog.item(first.id, 'F')).toEqual(first.state.get('F'));
  expect(await catalog.item(first.id, 'nowhere')).toBeUndefined();
  expect(await catalog.path(first.id, 'k0000')).toEqual(['F']);
  expect((await catalog.resolve(first.id, ['F', 'name 0 0'])).map((found) => found.key)).toEqual(['k0000']);
  const wanted = differences(third.state, last.state);
  expect((await catalog.diff(third.id, last.id, { limit: 1000 })).changes).toEqual(wanted);
  expect((await catalog.history('F')).map(({ first: from, last: to }) => [from, to])).toEqual([[first.id, last.id]]);
  expect((await catalog.countsPerDay('2026-01-01', '2026-01-01'))[0]?.snapshots).toBe(4);
  await catalog.dropSnapshots([first.id, 'unknown']);
  expect(await catalog.snapshots()).toEqual([second.id, third.id, last.id]);
});

test('questions about what it does not hold say so', async () => {
  await expect(catalog.page('nope', '', { limit: 1 })).rejects.toEqual(code('catalog/no-snapshot'));
  const [only] = generated(1) as [ModelSnapshot];
  await addAll(catalog, [only]);
  expect(await catalog.page(only.id, 'nowhere', { limit: 1 })).toEqual({ rows: [] });
  const { next } = await catalog.page(only.id, 'F', { limit: 1 });
  const other = catalog.page(only.id, 'F', { limit: 1, order: 'size', after: next });
  await expect(other).rejects.toEqual(code('catalog/bad-cursor'));
  await expect(catalog.page(only.id, 'F', { limit: 1, after: '?' })).rejects.toEqual(code('catalog/bad-cursor'));
  await expect(Catalog.open({ directory: directory.path, entity: 'x', generation: '../x' })).rejects.toEqual(
    code('catalog/bad-generation'),
  );
});

async function* failing(changes: readonly RowChange[]): AsyncGenerator<RowChange[]> {
  yield* batches(changes);
  throw new Error('the source broke');
}

test('a snapshot whose changes end in an error, come in disorder or are aborted leaves all as it was', async () => {
  const [first, second] = generated(2) as [ModelSnapshot, ModelSnapshot];
  await addAll(catalog, [first]);
  const changes = changesBetween(first.state, second.state);
  const base = first.id;
  await expect(catalog.addSnapshot(second, failing(changes), { base })).rejects.toThrow('the source broke');
  const disorder = batches(changes.toReversed());
  await expect(catalog.addSnapshot(second, disorder, { base })).rejects.toEqual(code('catalog/bad-row'));
  const unnamed = batches([{ row: row({ key: '' }) }]);
  await expect(catalog.addSnapshot(second, unnamed, { base })).rejects.toEqual(code('catalog/bad-row'));
  const aborter = new AbortController();
  const aborting = async function* (): AsyncGenerator<RowChange[]> {
    for await (const batch of batches(changes)) {
      yield batch;
      aborter.abort(new Error('enough'));
    }
  };
  const aborted = catalog.addSnapshot(second, aborting(), { base, signal: aborter.signal });
  await expect(aborted).rejects.toThrow('enough');
  expect(await catalog.snapshots()).toEqual([first.id]);
  expect(await allRows(first.id)).toEqual(rowsOf(first.state));
  await addAll(catalog, []);
  await expect(catalog.addSnapshot(second, batches(changes), { base })).resolves.toMatchObject({ state: 'added' });
  expect(await allRows(second.id)).toEqual(rowsOf(second.state));
});

test('questions asked while a snapshot comes in see nothing of it', async () => {
  const [first, second] = generated(2) as [ModelSnapshot, ModelSnapshot];
  await addAll(catalog, [first]);
  const before = await catalog.page(first.id, 'F', { limit: 1000 });
  let asked = 0;
  const asking = async function* (): AsyncGenerator<RowChange[]> {
    for await (const batch of batches(changesBetween(first.state, second.state), 10)) {
      yield batch;
      expect(await catalog.page(first.id, 'F', { limit: 1000 })).toEqual(before);
      expect(await catalog.snapshots()).toEqual([first.id]);
      asked++;
    }
  };
  await catalog.addSnapshot(second, asking(), { base: first.id });
  expect(asked).toBeGreaterThan(2);
});

test('a snapshot is added once, and only upon its base', async () => {
  const [first, second] = generated(2) as [ModelSnapshot, ModelSnapshot];
  await addAll(catalog, [first]);
  const none = batches([]);
  expect(await catalog.addSnapshot(first, none, { base: undefined })).toEqual({ state: 'present' });
  await expect(catalog.addSnapshot(second, none, { base: undefined })).rejects.toEqual(code('catalog/moved-on'));
  await expect(catalog.addSnapshot(second, none, { base: 'other' })).rejects.toEqual(code('catalog/moved-on'));
  const broken = { ...second, startedAt: 'yesterday' };
  await expect(catalog.addSnapshot(broken, none, { base: first.id })).rejects.toEqual(code('catalog/bad-time'));
});

test('follows what is kept: adds, drops, and files a late one between the others', async () => {
  const all = generated(6);
  const some = (...indexes: number[]) => indexes.flatMap((index) => all[index] ?? []);
  const rounds = [[some(0, 2), 2], [some(0, 1, 2, 4), 3], [some(1, 4, 5), 1], [[], 0], [some(3), 1]] as const;
  for (const [kept, added] of rounds) {
    expect(await followSnapshots(catalog, sourceOf(kept))).toBe(added);
    expect(await catalog.snapshots()).toEqual(kept.map(({ id }) => id));
    for (const { id, state } of kept) expect(await allRows(id)).toEqual(rowsOf(state));
  }
});

test('hundreds of rows in a batch, thousands in a folder', async () => {
  const keys = Array.from({ length: 5000 }, (_, index) => `k${String(index).padStart(5, '0')}`);
  const snapshot = snapshotOf(0, new Map(keys.map((key) => [key, row({ key })])));
  await catalog.addSnapshot(snapshot, batches(changesBetween(undefined, snapshot.state), 2500), { base: undefined });
  expect((await allRows(snapshot.id)).map(({ key }) => key)).toEqual(keys);
  const { rows } = await catalog.page(snapshot.id, '', { limit: 1_000_000 });
  expect(rows.length).toBe(1000);
});

test('requests to a worker that ends are rejected', async () => {
  const place = { directory: directory.path, entityHash: 'a'.repeat(64), generation: '1', workerId: '00', usedAtMs: 0 };
  const link = new WorkerLink({ task: 'serve', place });
  await link.started();
  const waiting = link.call('snapshots', []).catch((error: unknown) => error);
  await link.stop();
  expect(await waiting).toEqual(code('catalog/worker-lost'));
  await expect(link.call('snapshots', [])).rejects.toEqual(code('catalog/worker-lost'));
});
