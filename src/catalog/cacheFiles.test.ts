import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync, existsSync, ftruncateSync, openSync, readdirSync, statSync, utimesSync, writeFileSync, writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isHoldfastError } from '../domain/index.ts';
import type { ItemRow } from '../domain/index.ts';
import { Catalog } from './catalog.ts';
import { followSnapshots } from './followSnapshots.ts';
import { trimCaches } from './trimCaches.ts';
import { generated } from './testing/generated.ts';
import { batches, changesBetween, rowsOf } from './testing/model.ts';
import type { ModelSnapshot } from './testing/model.ts';
import { addAll, scratchDirectory } from './testing/scratch.ts';

let directory: ReturnType<typeof scratchDirectory>;
const open = (entity = 'test', generation = '1') => Catalog.open({ directory: directory.path, entity, generation });
const files = (): string[] => readdirSync(directory.path).filter((name) => name.endsWith('.sqlite'));
const only = (): string => {
  expect(files().length).toBe(1);
  return join(directory.path, files()[0] ?? '');
};

beforeEach(() => {
  directory = scratchDirectory();
});

afterEach(() => directory[Symbol.dispose]());

async function filled(snapshots: readonly ModelSnapshot[], entity?: string): Promise<void> {
  const catalog = await open(entity);
  await addAll(catalog, snapshots);
  await catalog.close();
}

async function expectHolds(snapshots: readonly ModelSnapshot[]): Promise<void> {
  const catalog = await open();
  expect(await catalog.snapshots()).toEqual(snapshots.map(({ id }) => id));
  for (const { id, state } of snapshots) expect(await allRows(catalog, id)).toEqual(rowsOf(state));
  await catalog.close();
}

async function allRows(catalog: Catalog, id: string): Promise<ItemRow[]> {
  const rows: ItemRow[] = [];
  for await (const batch of catalog.rows(id)) rows.push(...batch);
  return rows;
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function cut(path: string, bytes: number): void {
  const file = openSync(path, 'r+');
  ftruncateSync(file, bytes);
  closeSync(file);
}

test('nobody else may read the caches, and another entity has its own', async () => {
  await filled(generated(1));
  await filled([], 'other');
  expect(statSync(directory.path).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(directory.path)) expect(statSync(join(directory.path, name)).mode & 0o777).toBe(0o600);
  expect(files().length).toBe(2);
  expect(files().join()).not.toContain('test');
});

test('a cache of another generation or version is deleted', async () => {
  await filled(generated(2));
  const old = only();
  const raised = await open('test', '2');
  expect(await raised.snapshots()).toEqual([]);
  await raised.close();
  expect(existsSync(old)).toBe(false);
  // user_version, sqlite.org/fileformat.html 1.3.
  overwrite(only(), 60, Buffer.from([0, 0, 0, 99]));
  const other = await open('test', '2');
  expect(await other.snapshots()).toEqual([]);
  await other.close();
});

const damages: Record<string, (path: string) => void> = {
  'garbage instead of it': (path) => writeFileSync(path, Buffer.alloc(50_000, 'garbage ')),
  'garbage at its beginning': (path) => overwrite(path, 0, Buffer.alloc(5000, 7)),
  'a header and garbage': (path) => overwrite(path, 100, Buffer.alloc(statSync(path).size - 100, 7)),
  'cut in half': (path) => cut(path, Math.floor(statSync(path).size / 2)),
  'cut within a page': (path) => cut(path, 4096 * 3 + 17),
  empty: (path) => cut(path, 0),
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a file that is damaged (${name}) is an empty catalog, and can be filled again`, async () => {
    const snapshots = generated(3);
    await filled(snapshots);
    const old = only();
    damage(old);
    await expectHolds([]);
    expect(existsSync(old)).toBe(false);
    await filled(snapshots);
    await expectHolds(snapshots);
  });
}

test('damage in any page is met with a right answer or with an emptied catalog', async () => {
  const snapshots = generated(2);
  await filled(snapshots);
  const pages = Math.floor(statSync(only()).size / 4096);
  let emptied = 0;
  for (let page = 1; page < pages; page += 2) {
    overwrite(only(), page * 4096, Buffer.alloc(4096, 0xa5));
    const catalog = await open();
    try {
      for (const { id, state } of snapshots) {
        if (!(await catalog.snapshots()).includes(id)) continue;
        expect(await allRows(catalog, id)).toEqual(rowsOf(state));
        await catalog.page(id, 'F', { limit: 1000 });
      }
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'catalog/damaged') throw error;
      emptied++;
      expect(await catalog.snapshots()).toEqual([]);
    }
    const source = { snapshots, changes: (from: string | undefined, to: string) => changes(snapshots, from, to) };
    await followSnapshots(catalog, source);
    for (const { id, state } of snapshots) expect(await allRows(catalog, id)).toEqual(rowsOf(state));
    await catalog.close();
  }
  expect(emptied).toBeGreaterThan(pages / 6);
});

function changes(snapshots: readonly ModelSnapshot[], from: string | undefined, to: string) {
  const state = (id: string | undefined) => snapshots.find((snapshot) => snapshot.id === id)?.state;
  return batches(changesBetween(state(from), state(to) ?? new Map()), 100);
}

function start(...args: string[]): ChildProcess {
  const script = fileURLToPath(new URL('./testing/fillProcess.ts', import.meta.url));
  return spawn(process.execPath, [script, directory.path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function added(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('no output');
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(exitCode).toBe(0);
  return (JSON.parse(output) as { added: number }).added;
}

test('three processes that fill one cache at once add each snapshot once', async () => {
  const counts = await Promise.all(['5', '5', '5'].map((count) => added(start(count))));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  only();
  await expectHolds(generated(5));
});

test.each([1, 3])('kill -9 in the middle of snapshot %i leaves those before it', async (count) => {
  const child = start(String(count), 'stop');
  if (!child.stdout) throw new Error('no output');
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expectHolds(generated(count - 1));
  await filled([], 'other');
  expect(await added(start(String(count)))).toBe(1);
  await expectHolds(generated(count));
});

test('a process waits while another fills the cache, and then goes on from there', async () => {
  const first = start('2', 'stop');
  if (!first.stdout) throw new Error('no output');
  await once(first.stdout, 'data');
  const second = start('2');
  const early = await Promise.race([once(second, 'exit'), allSnapshots()]);
  expect(early).toEqual(generated(1).map(({ id }) => id));
  first.kill('SIGKILL');
  expect(await added(second)).toBe(1);
  await expectHolds(generated(2));
});

async function allSnapshots(): Promise<string[]> {
  const catalog = await open();
  const ids = await catalog.snapshots();
  await catalog.close();
  return ids;
}

test('trimming deletes the caches opened longest ago, never one in use', async () => {
  const snapshots = generated(1);
  const paths: string[] = [];
  for (const [index, entity] of ['a', 'b', 'c', 'd'].entries()) {
    await filled(snapshots, entity);
    const path = join(directory.path, files().find((name) => !paths.includes(join(directory.path, name))) ?? '');
    utimesSync(path, 1000 + index, 1000 + index);
    paths.push(path);
  }
  const [a = '', b = '', c = '', d = ''] = paths;
  const size = statSync(a).size;
  expect(await trimCaches(directory.path, size * 4)).toBe(0);
  const inUse = await open('a');
  utimesSync(a, 1, 1);
  expect(await trimCaches(directory.path, size * 3.5)).toBeGreaterThanOrEqual(size);
  expect([a, b, c, d].map((path) => existsSync(path))).toEqual([true, false, true, true]);
  expect((await inUse.snapshots()).length).toBe(1);
  writeFileSync(c, 'garbage');
  utimesSync(c, 1, 1);
  await trimCaches(directory.path, 0);
  expect([a, b, c, d].map((path) => existsSync(path))).toEqual([true, false, false, false]);
  await inUse.close();
  await trimCaches(directory.path, 0);
  expect(readdirSync(directory.path)).toEqual(['lock']);
  expect(await trimCaches(join(directory.path, 'nowhere'), 0)).toBe(0);
});

test('a damaged lock file is no obstacle', async () => {
  writeFileSync(join(directory.path, 'lock'), 'x'.repeat(5000));
  await filled(generated(1));
  await expectHolds(generated(1));
});

test('a directory that cannot be used is told with its reason', async () => {
  writeFileSync(join(directory.path, 'file'), '');
  const inFile = Catalog.open({ directory: join(directory.path, 'file', 'x'), entity: 'test', generation: '1' });
  await expect(inFile).rejects.toMatchObject({ code: 'catalog/unusable-directory', retryClass: 'input' });
});
