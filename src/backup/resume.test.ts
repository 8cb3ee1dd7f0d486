import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { RecordingStorage } from '../../tests/incremental/recordingStorage.ts';
import { never, ScratchRepository, sha256, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import type { SourceChange } from '../connectors/contract.ts';
import type { Outcome } from '../domain/index.ts';
import { stateRows, type Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { FaultyStorage, MemoryStorage } from '../storage/trial/index.ts';
import { runBackup } from './runBackup.ts';
import { found, listing, ScriptedSource, type Script } from '../../tests/sources/scriptedSource.ts';

/** A pack is about 16 MiB: some 160 of these items. */
const ITEM_BYTES = 100_000;
const ITEMS = 600;
const STOP = new Error('the cable was pulled');

const keyOf = (number: number): string => `k${String(number).padStart(4, '0')}`;

/** Bytes that neither compress nor repeat. */
function noise(seed: string): string {
  const block = createHash('sha512');
  const parts: Buffer[] = [];
  for (let i = 0; i < Math.floor(ITEM_BYTES / 64); i++) parts.push(block.copy().update(`${seed}/${i}`).digest());
  return Buffer.concat(parts).toString('latin1');
}

const contents: Record<string, string> = Object.fromEntries(Array.from({ length: ITEMS }, (_, i) => [keyOf(i), noise(`${i}`)]));

function batches(changes: readonly SourceChange[]): (readonly SourceChange[])[] {
  return Array.from({ length: Math.ceil(changes.length / 20) }, (_, i) => changes.slice(i * 20, (i + 1) * 20));
}

const all = Array.from({ length: ITEMS }, (_, i) => found(keyOf(i), { size: ITEM_BYTES }));

interface Bench {
  readonly scratch: ScratchRepository;
  readonly faults: FaultyStorage;
  readonly puts: RecordingStorage;
}

async function bench(): Promise<Bench> {
  const faults = new FaultyStorage(new MemoryStorage());
  const puts = new RecordingStorage(faults);
  const scratch = await ScratchRepository.make(puts);
  onTestFinished(() => scratch[Symbol.dispose]());
  return { scratch, faults, puts };
}

async function run({ scratch, puts }: Bench, script: Script): Promise<{ source: ScriptedSource; manifest: Manifest }> {
  puts.reset();
  const source = new ScriptedSource(script);
  const manifest = await runBackup(scratch.repository, source, {
    signal: never, progress: unheard, clock: systemClock, workers: 1, checkpointBytes: 1,
  });
  return { source, manifest };
}

/** Runs until the given batch, then fails. */
async function runUntil(on: Bench, batch: number, script: Partial<Script> = {}): Promise<ScriptedSource> {
  const source = new ScriptedSource({
    changes: batches(listing(...all)), contents, ...script, before: (at) => { if (at === batch) throw STOP; },
  });
  const options = { signal: never, progress: unheard, clock: systemClock, workers: 1, checkpointBytes: 1 };
  on.puts.reset();
  await expect(runBackup(on.scratch.repository, source, options)).rejects.toBe(STOP);
  return source;
}

async function objects({ scratch }: Bench, prefix: string): Promise<number> {
  let count = 0;
  for await (const _object of listAll(scratch.storage, prefix)) count++;
  return count;
}

/** Hashes of all contents by key; items without content by their outcome's code. */
async function state({ scratch }: Bench, manifest: Manifest): Promise<Map<string, string>> {
  const { storage, keyring } = scratch.repository.context;
  const reader = scratch.repository.reader(await scratch.repository.entity(manifest.tag));
  const shown = new Map<string, string>();
  for await (const rows of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) {
    for (const row of rows) {
      const parts: Buffer[] = [];
      if (row.content !== '') for await (const part of reader.content(row)) parts.push(part);
      shown.set(row.key, row.content === '' ? (JSON.parse(row.outcome) as Outcome).code : sha256(Buffer.concat(parts)));
    }
  }
  await reader.close();
  return shown;
}

const expected = (keys: readonly string[]): Map<string, string> => new Map(keys.map((key) => [key, sha256(Buffer.from(contents[key] ?? '', 'latin1'))]));

test('a run that died goes on from its checkpoint: what that holds is neither fetched nor stored again', async () => {
  const on = await bench();
  const first = await runUntil(on, 25);
  expect(on.puts.putKinds.filter((kind) => kind === 'checkpoints').length).toBeGreaterThan(1);
  expect(await objects(on, 'seals/')).toBe(0);
  const stored = on.puts.putBytes('packs');
  const { source, manifest } = await run(on, { changes: batches(listing(...all)), contents });
  // Two packs, the one that was filled and the one on its way, may have been lost with the run.
  expect(source.previous.length).toBeGreaterThan(first.fetched.length - 400);
  expect(source.fetched).toEqual(all.slice(source.previous.length).map((change) => ('item' in change ? change.item.key : '')));
  expect(on.puts.putBytes('packs') + stored).toBeLessThan((ITEMS + 400) * ITEM_BYTES);
  expect(manifest).toMatchObject({ status: 'complete', counts: { items: ITEMS, added: ITEMS, changed: 0, removed: 0, bytes: ITEMS * 64 * Math.floor(ITEM_BYTES / 64) } });
  expect(await state(on, manifest)).toEqual(expected(Object.keys(contents)));
  expect(await objects(on, 'checkpoints/')).toBe(0);
});

test('what a run asks for again after one that died is a page at most, however much that one had fetched', async () => {
  const many = Array.from({ length: 420 }, (_, i) => found(keyOf(i)));
  const changes = batches(listing(...many));
  const options = { signal: never, progress: unheard, clock: systemClock, workers: 1, page: 4 };
  for (const end of [1, 413]) {
    const on = await bench();
    const dead = new ScriptedSource({ changes, contents: { [keyOf(end)]: STOP } });
    await expect(runBackup(on.scratch.repository, dead, options)).rejects.toBe(STOP);
    // One for each three quarters of a page, at the end of a long run as at its beginning.
    expect(on.puts.putKinds.filter((kind) => kind === 'checkpoints').length).toBeGreaterThanOrEqual((end - 4) / 3);
    const next = new ScriptedSource({ changes });
    await runBackup(on.scratch.repository, next, options);
    const asked = new Set(dead.fetched);
    const again = next.fetched.filter((key) => asked.has(key)).length;
    expect([dead.fetched.length, again <= 4], `${again} again`).toEqual([end + 1, true]);
    expect(next.fetched.length).toBe(many.length - dead.fetched.length + again);
  }
});

test('what the source lost, changed and could not give since then is seen', async () => {
  const on = await bench();
  const failed: Outcome = { state: 'failed', code: 'unreadable', message: 'not now' };
  await runUntil(on, 25, { contents: { ...contents, [keyOf(3)]: failed } });
  const now = all.filter((_, i) => i !== 5 && i !== 599).map((change, i) => (i === 10 ? found(keyOf(11), { change: 'v2', size: ITEM_BYTES }) : change));
  const { source, manifest } = await run(on, { changes: batches(listing(...now)), contents: { ...contents, [keyOf(11)]: 'changed' } });
  expect(source.fetched).toEqual([keyOf(3), keyOf(11), ...now.slice(source.previous.length - 1).map((change) => ('item' in change ? change.item.key : ''))]);
  const keys = Object.keys(contents).filter((key) => key !== keyOf(5) && key !== keyOf(599));
  expect(await state(on, manifest)).toEqual(expected(keys).set(keyOf(11), sha256(Buffer.from('changed'))));
  expect(manifest).toMatchObject({ status: 'complete', warnings: [], counts: { items: ITEMS - 2, failed: 0 } });
});

test('a run that takes over a checkpoint is given no cursor: all is listed, as the cursor knows less than the rows', async () => {
  const on = await bench();
  await run(on, { changes: [listing(found('a'))], cursor: 'one' });
  const dead = await runUntil(on, 25);
  expect(dead.given).toBe('one');
  const { source, manifest } = await run(on, { changes: batches(listing(...all)), contents, cursor: 'two' });
  expect(source.given).toBeUndefined();
  expect(source.previous.length).toBeGreaterThan(1);
  expect(manifest).toMatchObject({ cursor: 'two', counts: { items: ITEMS, removed: 1 } });
  const next = await run(on, { changes: [] });
  expect(next.source.given).toBe('two');
});

test('a checkpoint against another snapshot is not taken over', async () => {
  const on = await bench();
  await runUntil(on, 25);
  const entity = await on.scratch.repository.begin(new ScriptedSource({ changes: [] }).entity);
  expect(entity.resumes).toBe(true);
  await entity.close();
  await run(on, { changes: batches(listing(...all.slice(0, 3))), contents });
  const { source, manifest } = await run(on, { changes: batches(listing(...all.slice(0, 5))), contents });
  expect(source.previous).toHaveLength(3);
  expect(await state(on, manifest)).toEqual(expected(Object.keys(contents).slice(0, 5)));
});

test.each(['packs/', 'index/', 'segments/', 'checkpoints/', 'snapshots/', 'seals/'])(
  'a storage that refuses %s ends the run with what it said; the next one finishes', async (prefix) => {
    const on = await bench();
    const few = all.slice(0, 200);
    on.faults.add({ on: 'put', prefix, times: Infinity, effect: { kind: 'refused' } });
    await expect(run(on, { changes: batches(listing(...few)), contents })).rejects.toMatchObject({ code: 'storage/unavailable' });
    expect(on.faults.fired.some((count) => count > 0)).toBe(true);
    expect(await on.scratch.repository.snapshots()).toEqual([]);
    on.faults.heal();
    const { manifest } = await run(on, { changes: batches(listing(...few)), contents });
    expect(manifest).toMatchObject({ status: 'complete', counts: { items: 200, added: 200 } });
    expect(await state(on, manifest)).toEqual(expected(Object.keys(contents).slice(0, 200)));
  });
