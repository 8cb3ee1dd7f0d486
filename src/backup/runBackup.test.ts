import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { never, ScratchRepository, sha256 } from '../../tests/roundTrip/scratchRepository.ts';
import type { SourceChange } from '../connectors/contract.ts';
import { isHoldfastError, type ItemRow, type Outcome, type ProgressEvent } from '../domain/index.ts';
import { stateRows, type Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { runBackup } from './runBackup.ts';
import { found, itemOf, listing, ScriptedSource, type Script } from '../../tests/sources/scriptedSource.ts';

const FAILED: Outcome = { state: 'failed', code: 'unreadable', message: 'It could not be read.' };
const SKIPPED: Outcome = { state: 'skipped', code: 'special', message: 'It is nothing that is stored.' };

interface Ran {
  readonly manifest: Manifest;
  readonly source: ScriptedSource;
  readonly events: readonly ProgressEvent[];
}

class Bench {
  readonly scratch: ScratchRepository;

  private constructor(scratch: ScratchRepository) {
    this.scratch = scratch;
  }

  static async make(): Promise<Bench> {
    const scratch = await ScratchRepository.make();
    onTestFinished(() => scratch[Symbol.dispose]());
    return new Bench(scratch);
  }

  async run(script: Script): Promise<Ran> {
    const source = new ScriptedSource(script);
    const events: ProgressEvent[] = [];
    const manifest = await runBackup(this.scratch.repository, source, {
      signal: never, progress: (event) => events.push(event), clock: systemClock, workers: 1,
    });
    return { manifest, source, events };
  }

  /** The snapshot's rows as key → content, or outcome where there is none. */
  async state(manifest: Manifest): Promise<Record<string, string>> {
    const shown: Record<string, string> = {};
    for (const row of await this.rows(manifest)) shown[row.key] = row.content === '' ? (row.outcome || row.kind) : await this.content(manifest, row);
    return shown;
  }

  async rows(manifest: Manifest): Promise<ItemRow[]> {
    const { storage, keyring } = this.scratch.repository.context;
    const rows: ItemRow[] = [];
    for await (const batch of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) rows.push(...batch);
    return rows;
  }

  async content(manifest: Manifest, row: ItemRow): Promise<string> {
    const reader = this.scratch.repository.reader(await this.scratch.repository.entity(manifest.tag));
    const parts: Buffer[] = [];
    for await (const part of reader.content(row)) parts.push(part);
    await reader.close();
    return Buffer.concat(parts).toString('latin1');
  }

  async snapshots(): Promise<number> {
    return (await this.scratch.repository.snapshots()).length;
  }
}

describe('order', () => {
  const bad: Readonly<Record<string, readonly (readonly SourceChange[])[]>> = {
    'items that go backwards': [listing(found('b'), found('a'))],
    'an item twice': [listing(found('a'), found('a'))],
    'an item twice over two batches': [[{ type: 'listing', prefix: '' }, found('a')], [found('a'), { type: 'listed', prefix: '' }]],
    'an item outside of the prefix that is listed': [[{ type: 'listing', prefix: 'a' }, found('b'), { type: 'listed', prefix: 'a' }]],
    'a removal behind an item': [[found('b'), { type: 'removed', key: 'a' }]],
    'a removal of an item just given': [[found('b'), { type: 'removed', key: 'b' }]],
    'an item that was removed': [[{ type: 'removed', key: 'b' }, found('b')]],
    'a removed prefix behind an item': [[found('b'), { type: 'removedPrefix', prefix: 'a' }]],
    'a listing behind an item': [[found('b'), ...listing(found('c'))]],
    'a listing inside of another': [[{ type: 'listing', prefix: '' }, ...listing(found('c'))]],
    'a listing that never ends': [[{ type: 'listing', prefix: '' }, found('c')]],
    'the end of a listing that never began': [[{ type: 'listed', prefix: '' }]],
    'the end of another listing': [[{ type: 'listing', prefix: 'a' }, found('ab'), { type: 'listed', prefix: '' }]],
    'an unknown prefix outside of a listing': [[{ type: 'unknown', prefix: 'a' }]],
    'an unknown prefix behind an item': [listing(found('b'), { type: 'unknown', prefix: 'a' })],
    'an exception behind an item': [listing(found('b'), { type: 'exception', item: itemOf('a'), outcome: FAILED })],
  };
  test.each(Object.keys(bad))('%s: refused, and no snapshot is made', async (name) => {
    const bench = await Bench.make();
    const first = await bench.run({ changes: [listing(found('a'), found('b'), found('c'))] });
    const error: unknown = await bench.run({ changes: bad[name] ?? [] }).catch((failure: unknown) => failure);
    expect(isHoldfastError(error) ? error.code : error).toBe('connector/order');
    expect(await bench.snapshots()).toBe(1);
    expect(await bench.state(first.manifest)).toEqual({ a: 'a', b: 'b', c: 'c' });
  });
});

describe('changes', () => {
  test('a listing removes what it does not name, under its prefix alone', async () => {
    const bench = await Bench.make();
    await bench.run({ changes: [listing(found('a1'), found('b1'), found('b2'), found('b3'), found('c1'))] });
    const { manifest, source } = await bench.run({
      changes: [[{ type: 'listing', prefix: 'b' }, found('b2'), found('b4'), { type: 'listed', prefix: 'b' }]],
    });
    expect(await bench.state(manifest)).toEqual({ a1: 'a1', b2: 'b2', b4: 'b4', c1: 'c1' });
    expect(source.fetched).toEqual(['b4']);
    expect(manifest.counts).toMatchObject({ items: 4, added: 1, changed: 0, removed: 2, bytes: 8 });
  });

  test('outside of a listing what is not named stays', async () => {
    const bench = await Bench.make();
    await bench.run({ changes: [listing(found('a'), found('b'), found('c'), found('da'), found('db'), found('e'))] });
    const { manifest } = await bench.run({
      changes: [[found('b', { change: 'v2' }), { type: 'removed', key: 'c' }, { type: 'removed', key: 'cc' }], [{ type: 'removedPrefix', prefix: 'd' }, found('f')]],
      contents: { b: 'new' },
    });
    expect(await bench.state(manifest)).toEqual({ a: 'a', b: 'new', e: 'e', f: 'f' });
    expect(manifest.counts).toMatchObject({ items: 4, added: 1, changed: 1, removed: 3 });
  });

  test('content that is kept or another item\'s is not fetched; where there is none to keep it is', async () => {
    const bench = await Bench.make();
    await bench.run({ changes: [listing(found('a'), found('b'), found('x'))], contents: { b: FAILED } });
    const { manifest, source } = await bench.run({
      changes: [[
        found('a', { change: 'v2', name: 'renamed', size: 99 }, { from: 'kept' }), found('b', { change: 'v2' }, { from: 'kept' }),
        found('n', {}, { from: 'previous', key: 'x' }), found('o', {}, { from: 'previous', key: 'a' }), found('p', {}, { from: 'previous', key: 'none' }),
      ]],
    });
    expect(await bench.state(manifest)).toEqual({ a: 'a', b: 'b', n: 'x', o: 'a', p: 'p', x: 'x' });
    expect(source.fetched).toEqual(['b', 'p']);
    expect((await bench.rows(manifest))[0]).toMatchObject({ name: 'renamed', size: 1, change: 'v2' });
  });

  test('where nothing could be learned what was there stays, and the snapshot is partial', async () => {
    const bench = await Bench.make();
    await bench.run({ changes: [listing(found('a'), found('d', { kind: 'folder' }, { from: 'none' }), found('d/1'), found('d/2'), found('z'))] });
    const { manifest } = await bench.run({
      changes: [listing(found('a'), { type: 'exception', item: itemOf('d', { kind: 'folder' }), outcome: FAILED }, { type: 'unknown', prefix: 'd/' }, found('z'))],
    });
    expect(await bench.state(manifest)).toMatchObject({ 'a': 'a', 'd/1': 'd/1', 'd/2': 'd/2', 'z': 'z' });
    expect(manifest).toMatchObject({ status: 'partial', warnings: [{ item: 'name of d', code: 'unreadable' }], counts: { failed: 1, removed: 0 } });
  });

  test('nothing changed: no row, no segment, equal counts', async () => {
    const bench = await Bench.make();
    const changes = [listing(...Array.from({ length: 10_000 }, (_, i) => found(`k${String(i).padStart(5, '0')}`)))];
    const first = await bench.run({ changes });
    const second = await bench.run({ changes });
    expect(second.source.fetched).toEqual([]);
    expect(second.manifest.layers).toEqual(first.manifest.layers);
    expect(second.manifest.counts).toEqual({ ...first.manifest.counts, added: 0, changed: 0, removed: 0 });
  });
});

describe('exceptions', () => {
  test('a failed item keeps its earlier content and says so; the next run tries it again', async () => {
    const bench = await Bench.make();
    await bench.run({ changes: [listing(found('a'), found('b'))], contents: { a: 'old' } });
    const failed = await bench.run({ changes: [listing(found('a', { change: 'v2' }), found('b'))], contents: { a: FAILED } });
    expect(await bench.state(failed.manifest)).toEqual({ a: 'old', b: 'b' });
    expect(failed.manifest).toMatchObject({
      status: 'partial', counts: { items: 2, failed: 1, changed: 1, bytes: 4 },
      warnings: [{ item: 'name of a', state: 'failed', message: 'It could not be read. The content is that of an earlier run.' }],
    });
    expect(failed.events).toContainEqual({ type: 'warning', item: 'name of a', code: 'unreadable', message: FAILED.message + ' The content is that of an earlier run.' });
    const again = await bench.run({ changes: [listing(found('a', { change: 'v2' }), found('b'))], contents: { a: 'new' } });
    expect(again.source.fetched).toEqual(['a']);
    expect(again.manifest).toMatchObject({ status: 'complete', warnings: [], counts: { failed: 0, bytes: 4 } });
    expect(await bench.state(again.manifest)).toEqual({ a: 'new', b: 'b' });
  });

  test('an item that was listed and is not found keeps its earlier content, and the next run tries it again', async () => {
    const bench = await Bench.make();
    const gone: Outcome = { state: 'skipped', code: 'vanished', message: 'It is gone.' };
    await bench.run({ changes: [listing(found('a'), found('b'))], contents: { a: 'old' } });
    const missed = await bench.run({ changes: [listing(found('a', { change: 'v2' }), found('b'), found('c'))], contents: { a: gone, c: gone } });
    expect(await bench.state(missed.manifest)).toEqual({ a: 'old', b: 'b', c: JSON.stringify(gone) });
    expect(missed.manifest.warnings).toMatchObject([{ item: 'name of a', state: 'skipped', message: 'It is gone. The content is that of an earlier run.' }, { item: 'name of c' }]);
    const again = await bench.run({ changes: [listing(found('a', { change: 'v2' }), found('b'), found('c'))], contents: { a: 'new' } });
    expect(again.source.fetched).toEqual(['a', 'c']);
    expect(await bench.state(again.manifest)).toEqual({ a: 'new', b: 'b', c: 'c' });
  });

  test('an item that cannot be read any more is named, although its change key says that nothing changed', async () => {
    const bench = await Bench.make();
    await bench.run({ changes: [listing(found('a'))] });
    const { manifest } = await bench.run({ changes: [listing({ type: 'exception', item: itemOf('a'), outcome: FAILED })] });
    expect(await bench.state(manifest)).toEqual({ a: 'a' });
    expect(manifest).toMatchObject({ status: 'partial', counts: { failed: 1 } });
  });

  test('one that fails every time is named every time, and makes no new version', async () => {
    const bench = await Bench.make();
    const script = { changes: [listing(found('a'), { type: 'exception', item: itemOf('s'), outcome: SKIPPED } as const, found('t'))], contents: { t: FAILED } };
    const first = await bench.run(script);
    const second = await bench.run(script);
    expect(second.manifest.layers).toEqual(first.manifest.layers);
    expect(second.manifest.warnings).toEqual(first.manifest.warnings);
    expect(second.manifest.counts).toEqual({ ...first.manifest.counts, added: 0 });
    expect(second.source.fetched).toEqual(['t']);
  });

  test('what is skipped for a reason leaves the snapshot complete', async () => {
    const bench = await Bench.make();
    const { manifest } = await bench.run({ changes: [listing(found('a'), { type: 'exception', item: itemOf('s'), outcome: SKIPPED })] });
    expect(manifest).toMatchObject({ status: 'complete', counts: { items: 2, skipped: 1 }, warnings: [{ code: 'special' }] });
  });

  test('content that the source forgets to give is a failure, and its cursor is not believed', async () => {
    const bench = await Bench.make();
    const changes = [listing(found('a'), found('b'))];
    const first = await bench.run({ changes, contents: { b: null }, cursor: 'after b' });
    expect(first.manifest).toMatchObject({ status: 'partial', cursor: null, counts: { failed: 1 }, warnings: [{ code: 'not-given' }] });
    const second = await bench.run({ changes, cursor: 'now' });
    expect([second.source.given, second.source.fetched]).toEqual([undefined, ['b']]);
    expect(second.manifest).toMatchObject({ status: 'complete', cursor: 'now' });
    expect((await bench.run({ changes: [] })).source.given).toBe('now');
  });

  test('a spooled file is stored and taken away; one that is gone before is a failure, and the cursor is not believed', async () => {
    const bench = await Bench.make();
    const contents = { a: { file: 'spooled', bytes: 'large' }, b: { file: 'never-written' } };
    const { manifest } = await bench.run({ changes: [listing(found('a'), found('b'))], contents, cursor: 'after b' });
    expect(manifest).toMatchObject({ cursor: null, status: 'partial', counts: { items: 2, failed: 1 }, warnings: [{ item: 'name of b', code: 'not-kept' }] });
    expect((await bench.state(manifest))['a']).toBe('large');
  });

  test('an error of the source ends the run; what stood stands', async () => {
    const bench = await Bench.make();
    const first = await bench.run({ changes: [listing(found('a'))] });
    await expect(bench.run({ changes: [listing(found('a', { change: 'v2' }))], contents: { a: new Error('cut') } })).rejects.toThrow('cut');
    expect(await bench.snapshots()).toBe(1);
    expect(await bench.state(first.manifest)).toEqual({ a: 'a' });
  });
});

describe('files', () => {
  const inFile = (path: string, size: number, modified: number | null = null): SourceChange =>
    found('f', { kind: 'file', size, modified, change: `${size}` }, { from: 'file', path });

  test('a small one that changed after the listing is stored as it holds still, and read again under its next change key', async () => {
    const bench = await Bench.make();
    const path = bench.scratch.path('growing');
    writeFileSync(path, 'longer than listed');
    const first = await bench.run({ changes: [listing(inFile(path, 3))] });
    expect(await bench.state(first.manifest)).toEqual({ f: 'longer than listed' });
    expect(first.manifest).toMatchObject({ status: 'complete', counts: { bytes: 18, altered: 0 } });
    writeFileSync(path, 'settled');
    const second = await bench.run({ changes: [listing(inFile(path, 7))] });
    expect(await bench.state(second.manifest)).toEqual({ f: 'settled' });
  });

  test('a large one that changed after the listing is named, and read again although its change key is the same', async () => {
    const bench = await Bench.make();
    const path = bench.scratch.path('large');
    const size = 40_000_000;
    writeFileSync(path, Buffer.alloc(size, 'a'));
    const first = await bench.run({ changes: [listing(inFile(path, size, 1000))] });
    expect(first.manifest).toMatchObject({ status: 'complete', counts: { altered: 1 }, warnings: [{ state: 'altered', code: 'changed-while-read' }] });
    writeFileSync(path, Buffer.alloc(size, 'b'));
    utimesSync(path, 1, 1);
    const second = await bench.run({ changes: [listing(inFile(path, size, 1000))] });
    expect(second.manifest).toMatchObject({ counts: { altered: 0 }, warnings: [] });
    const [row] = await bench.rows(second.manifest);
    expect(row && sha256(Buffer.from(await bench.content(second.manifest, row), 'latin1'))).toBe(sha256(Buffer.alloc(size, 'b')));
  });

  test('one that went away is skipped, one that a folder took the place of failed; a large one too', async () => {
    const bench = await Bench.make();
    const folder = bench.scratch.path('folder');
    mkdirSync(folder);
    for (const size of [3, 64 * 1024 * 1024]) {
      const { manifest } = await bench.run({
        changes: [listing(
          found('gone', { kind: 'file', size, change: `${size}` }, { from: 'file', path: bench.scratch.path('gone') }),
          found('is a folder', { kind: 'file', size, change: `${size}` }, { from: 'file', path: folder }),
        )],
      });
      expect(manifest.warnings.map(({ state, code }) => `${state} ${code}`)).toEqual(['skipped vanished', 'failed changed-while-read']);
      expect(manifest.status).toBe('partial');
    }
  });

  test('rows that follow a slow one wait in bounds and come in order', async () => {
    const bench = await Bench.make();
    const path = bench.scratch.path('large');
    writeFileSync(path, Buffer.alloc(40_000_000, 'large'));
    const many = Array.from({ length: 40_000 }, (_, i) => found(`k${String(i).padStart(6, '0')}`, {}, { from: 'none' }));
    const batches = Array.from({ length: 40 }, (_, i) => many.slice(i * 1000, (i + 1) * 1000));
    const large = found('f', { kind: 'file', size: 40_000_000 }, { from: 'file', path });
    const { manifest } = await bench.run({ changes: [[{ type: 'listing', prefix: '' }, large], ...batches, [{ type: 'listed', prefix: '' }]] });
    const keys = (await bench.rows(manifest)).map(({ key }) => key);
    expect(keys).toHaveLength(40_001);
    expect(keys).toEqual(keys.toSorted());
  });
});
