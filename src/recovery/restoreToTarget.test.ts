import { expect, onTestFinished, test } from 'vitest';
import { never, ScratchRepository, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { found, itemOf, listing, ScriptedSource } from '../../tests/sources/scriptedSource.ts';
import { runBackup } from '../backup/index.ts';
import type { RestoreItem, RestoreScope, SourceChange, TargetSession, WriteResult } from '../connectors/contract.ts';
import { HoldfastError, type ItemRow, type ProgressEvent } from '../domain/index.ts';
import type { Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { restoreToTarget, type RestoreToOptions } from './restoreToTarget.ts';
import type { RestoreReport } from './restoreReport.ts';

/** Keeps what it is given, and what it was asked in which order; answers by key where it is told to. */
class Target implements TargetSession {
  readonly log: string[] = [];
  readonly parallel: number;
  /** Writes that ran at the same time, at most. */
  most = 0;
  #running = 0;
  readonly held = new Map<string, string>();
  readonly #planned: Readonly<Record<string, WriteResult>>;
  readonly #written: Readonly<Record<string, WriteResult | Error>>;

  constructor(planned: Readonly<Record<string, WriteResult>> = {}, written: Readonly<Record<string, WriteResult | Error>> = {}, parallel = 1) {
    this.parallel = parallel;
    this.#planned = planned;
    this.#written = written;
  }

  async plan(items: readonly RestoreItem[]): Promise<readonly WriteResult[]> {
    this.log.push(...items.map(({ row }) => `plan ${row.key}`));
    return items.map(({ row }) => this.#planned[row.key] ?? { result: 'written' });
  }

  async folder({ row, path }: RestoreItem): Promise<WriteResult> {
    this.log.push(`folder ${[...path, row.name].join('/')}`);
    return this.#planned[row.key] ?? { result: 'written' };
  }

  async write({ row, path }: RestoreItem, bytes: Uint8Array): Promise<WriteResult> {
    this.log.push(`write ${[...path, row.name].join('/')}`);
    this.#running++;
    this.most = Math.max(this.most, this.#running);
    await new Promise((resolve) => { setImmediate(resolve); });
    this.#running--;
    const result = this.#written[row.key] ?? this.#planned[row.key] ?? { result: 'written' };
    if (result instanceof Error) throw result;
    this.held.set(row.key, Buffer.from(bytes).toString('latin1'));
    return result;
  }

  async finish(): Promise<void> {
    this.log.push('finish');
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

const folder = (key: string, name: string, parent = ''): SourceChange => found(key, { name, parent, kind: 'folder' }, { from: 'none' });
const mail = (key: string, parent = ''): SourceChange => found(key, { name: key, parent });

interface Bench {
  readonly scratch: ScratchRepository;
  readonly storage: MemoryStorage;
  readonly manifest: Manifest;
}

async function snapshot(changes: readonly SourceChange[], contents: Readonly<Record<string, string>> = {}): Promise<Bench> {
  const storage = new MemoryStorage();
  const scratch = await ScratchRepository.make(storage);
  onTestFinished(() => scratch[Symbol.dispose]());
  const manifest = await runBackup(scratch.repository, new ScriptedSource({ changes: [changes], contents }), {
    signal: never, progress: unheard, clock: systemClock, workers: 1,
  });
  return { scratch, storage, manifest };
}

function restore({ scratch, manifest }: Bench, target: Target, options: Partial<RestoreToOptions> = {}): Promise<RestoreReport> {
  return restoreToTarget(scratch.repository, manifest, target, { signal: never, progress: unheard, workers: 1, ...options });
}

test('folders come before what they hold, also those whose key is later; each once; the end is confirmed', async () => {
  const bench = await snapshot(listing(folder('f1', 'moved', 'f9'), folder('f2', 'below', 'f1'), folder('f9', 'top'), mail('m1', 'f1'), mail('m2', 'f2'), mail('m3')));
  const target = new Target();
  expect(await restore(bench, target)).toMatchObject({ written: 3, folders: 3, failed: 0, issues: [] });
  expect(target.log.filter((line) => !line.startsWith('plan'))).toEqual([
    'folder top', 'folder top/moved', 'folder top/moved/below', 'write top/moved/m1', 'write top/moved/below/m2', 'write m3', 'finish',
  ]);
  expect(Object.fromEntries(target.held)).toEqual({ m1: 'm1', m2: 'm2', m3: 'm3' });
});

test('a choice brings the folders above it and nothing else', async () => {
  const bench = await snapshot(listing(folder('f1', 'a'), folder('f2', 'b', 'f1'), folder('f3', 'c'), mail('m1', 'f1'), mail('m2', 'f2'), mail('m3', 'f3')));
  const target = new Target();
  expect(await restore(bench, target, { within: ({ key }) => key === 'm2' })).toMatchObject({ written: 1, folders: 2 });
  expect(target.log).toEqual(['folder a', 'folder a/b', 'plan m2', 'write a/b/m2', 'finish']);
});

test('only what the target lacks is read and written; each verdict is counted', async () => {
  const bench = await snapshot(listing(folder('F', 'f'), mail('a'), mail('b'), mail('c'), mail('d'), mail('e')));
  const refused = { result: 'failed', outcome: { state: 'failed', code: 'refused', message: 'No.' } } as const;
  const target = new Target({ F: { result: 'unchanged' }, a: { result: 'unchanged' }, b: { result: 'skipped' }, c: { result: 'replaced' }, e: refused });
  const report = await restore(bench, target);
  expect(report).toMatchObject({ written: 1, replaced: 1, unchanged: 1, skipped: 1, failed: 1, folders: 0, bytes: 2 });
  expect(report.issues).toEqual([{ item: 'e', code: 'restore/refused', message: 'No.' }]);
  expect([...target.held.keys()]).toEqual(['c', 'd']);
});

test('a dry run counts the same and writes nothing, reads nothing and confirms nothing', async () => {
  const bench = await snapshot(listing(folder('F', 'f'), mail('a', 'F'), mail('b'), mail('c')));
  for await (const { name } of listAll(bench.storage, 'packs/')) await bench.storage.delete(name);
  const target = new Target({ b: { result: 'unchanged' }, c: { result: 'replaced' } });
  expect(await restore(bench, target, { dryRun: true })).toMatchObject({ written: 1, replaced: 1, unchanged: 1, folders: 1, bytes: 0, issues: [] });
  expect(target.log).toEqual(['plan F', 'plan a', 'plan b', 'plan c']);
});

test('an item that the target changed or refused is named by its path, and the rest goes on; an error of the target ends the run', async () => {
  const bench = await snapshot(listing(folder('F', 'f'), mail('a', 'F'), mail('b', 'F'), mail('c')));
  const altered = { result: 'altered', outcome: { state: 'altered', code: 'flags-dropped', message: 'Not kept.' } } as const;
  const failed = { result: 'failed', outcome: { state: 'failed', code: 'refused', message: 'Too big.' } } as const;
  const events: ProgressEvent[] = [];
  const report = await restore(bench, new Target({}, { a: altered, b: failed }), { progress: (event) => events.push(event) });
  expect(report).toMatchObject({ written: 2, failed: 1, bytes: 2 });
  expect(report.issues).toEqual([
    { item: 'f/a', code: 'restore/flags-dropped', message: 'Not kept.' }, { item: 'f/b', code: 'restore/refused', message: 'Too big.' },
  ]);
  expect(events.filter(({ type }) => type === 'warning')).toHaveLength(2);
  const cut = new HoldfastError('target/cut', 'retry', 'The connection was cut.');
  const target = new Target({}, { b: cut });
  await expect(restore(bench, target)).rejects.toBe(cut);
  expect(target.log).not.toContain('finish');
});

test('as many writes run at once as the target takes; after an error all have ended before it goes on', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `m${String(i).padStart(2, '0')}`);
  const bench = await snapshot(listing(...names.map((name) => mail(name))));
  const one = new Target();
  await restore(bench, one);
  expect(one.most).toBe(1);
  const target = new Target({}, {}, 4);
  expect(await restore(bench, target)).toMatchObject({ written: 20, failed: 0 });
  expect([target.most, [...target.held.keys()].sort()]).toEqual([4, names]);
  const cut = new HoldfastError('target/cut', 'retry', 'The connection was cut.');
  const broken = new Target({}, { m03: cut }, 4);
  await expect(restore(bench, broken)).rejects.toBe(cut);
  const written = broken.held.size;
  await new Promise((resolve) => { setImmediate(resolve); });
  expect([broken.held.size, broken.log.includes('finish')]).toEqual([written, false]);
});

test('what the snapshot does not hold, and what is damaged, is named and never written', async () => {
  const bench = await snapshot(listing(mail('a'), { type: 'exception', item: itemOf('b', { name: 'b' }), outcome: { state: 'failed', code: 'unreadable', message: 'Not today.' } }));
  expect((await restore(bench, new Target())).issues).toEqual([{ item: 'b', code: 'restore/no-content', message: 'Not today.' }]);
  for await (const { name } of listAll(bench.storage, 'packs/')) {
    const bytes = Buffer.from(await bench.storage.get(name));
    for (let at = 0; at < bytes.length; at += 16) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await bench.storage.delete(name);
    await bench.storage.put(name, [bytes]);
  }
  const target = new Target();
  const report = await restore(bench, target);
  expect(report).toMatchObject({ written: 0, failed: 2 });
  expect(report.issues.map(({ item, code }) => `${item} ${code}`).sort()).toEqual(['a repository/damaged', 'b restore/no-content']);
  expect(target.held.size).toBe(0);
});

test('items larger than a batch are given whole', async () => {
  const large = 'large '.repeat(4_000_000);
  const bench = await snapshot(listing(found('a', { name: 'a', size: large.length }), mail('b')), { a: large });
  const target = new Target();
  expect(await restore(bench, target)).toMatchObject({ written: 2, bytes: large.length + 1 });
  expect(target.held.get('a') === large).toBe(true);
});

test.each([true, false])('what a target cannot be given is counted, and named once for each folder at the top; remarks are passed over (dry run: %s)', async (dryRun) => {
  class Choosy extends Target {
    scope({ key }: ItemRow): RestoreScope {
      if (key.startsWith('g')) return 'remark';
      return /^[ce]/.test(key) ? 'not-yet' : 'given';
    }
  }
  const bench = await snapshot(listing(folder('a', 'mails'), folder('c1', 'calendars'), folder('c2', 'mine', 'c1'), mail('e1', 'c2'), mail('e2', 'c1'), mail('g1'), mail('m1', 'a')));
  const target = new Choosy();
  const report = await restore(bench, target, { dryRun });
  expect(report).toMatchObject({ written: 1, failed: 2, folders: 1, issues: [{ item: 'calendars', code: 'restore/not-yet', message: expect.stringContaining('2 items') as unknown }] });
  expect(target.log.filter((line) => !/ (a|m1|mails|mails\/m1)$/.test(line))).toEqual(dryRun ? [] : ['finish']);
});
