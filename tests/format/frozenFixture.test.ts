import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runBackup } from '../../src/backup/index.ts';
import { check, parseRecoveryKey, prune, readKeyFile, rebuild, Repository } from '../../src/repository/index.ts';
import { makeScratch, systemClock } from '../../src/runtime/index.ts';
import { expectNoNonceTwice, expectNothingShows, objectsOf, readIndependently, readWithHoldfast, storageOf } from './compareSample.ts';
import { IndependentReader, objectsIn } from './independentReader.ts';
import { parseKeyFile, parsePrintedKey } from './independentSealing.ts';
import type { ExpectedSnapshot } from './sampleRepository.ts';
import { SampleMailbox } from './sampleMailbox.ts';
import { mail } from './sampleMails.ts';

/** A repository as version 1 wrote it, which every later version must read; see README.md. */
const FOLDER = join(import.meta.dirname, 'v1');
const objects: ReadonlyMap<string, Buffer> = objectsIn(join(FOLDER, 'repository'));
const text = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const expected = JSON.parse(text('expected.json')) as { snapshots: ExpectedSnapshot[]; secrets: string[] };
const key = readKeyFile(join(FOLDER, 'operator.key')).key;

test('it is what it should be: two entities, several snapshots, every kind of object', () => {
  expect(new Set(expected.snapshots.map(({ entity }) => entity)).size).toBe(2);
  expect(expected.snapshots.length).toBe(5);
  const kinds = new Set([...objects.keys()].map((name) => name.split('/')[0] ?? ''));
  expect([...kinds].toSorted()).toEqual([
    'checkpoints', 'config', 'doomed', 'entities', 'epochs', 'index', 'keys', 'packs', 'pins', 'removals', 'seals', 'segments', 'snapshots', 'void',
  ]);
});

test('I5: an independent reader gives back every item, with either key, by index and by packs', async () => {
  expect(parseKeyFile(text('operator.key'))).toEqual(key);
  const printed = parsePrintedKey(text('recovery.txt'));
  expect(parseRecoveryKey(text('recovery.txt'))).toEqual(printed);
  for (const reader of [new IndependentReader(objects, key), new IndependentReader(objects, printed, 'packs')]) {
    reader.proveSlots();
    expect(await readIndependently(reader)).toEqual(expected.snapshots);
  }
});

test('I2, I3: no nonce twice, nothing shows', () => {
  const reader = new IndependentReader(objects, key);
  expectNoNonceTwice(reader);
  expectNothingShows(objects, reader, expected.secrets);
});

async function open(cacheDirectory: string): Promise<Repository> {
  return Repository.open(await storageOf(objects), key, { cacheDirectory });
}

test('I5: the program of today finds it sound and gives back every item, also after a rebuild', async () => {
  await using scratch = await makeScratch('format-test');
  const repository = await open(scratch.path);
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  expect(await readWithHoldfast(repository)).toEqual(expected.snapshots);
  await rebuild(repository);
  expect(await readWithHoldfast(repository)).toEqual(expected.snapshots);
});

test('a prune of today finishes the one that was cut off', async () => {
  await using scratch = await makeScratch('format-test');
  const repository = await open(scratch.path);
  await prune(repository, { keepLast: 2 }, { graceMs: 0 });
  const newest = (entity: string): ExpectedSnapshot[] => expected.snapshots.filter((one) => one.entity === entity).slice(-2);
  const entities = [...new Set(expected.snapshots.map(({ entity }) => entity))];
  expect(await readWithHoldfast(repository)).toEqual(entities.flatMap(newest));
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
  const left = [...(await objectsOf(repository.context.storage)).keys()];
  expect(left.filter((name) => /^(void|doomed|pins|checkpoints)\//.test(name))).toEqual([]);
});

test('I18: a run of today takes over the checkpoint, and makes the next snapshot', async () => {
  await using scratch = await makeScratch('format-test');
  const repository = await open(scratch.path);
  const before = (await repository.snapshots()).findLast(({ manifest }) => manifest.entity.service === 'imap');
  if (!before) throw new Error('there is no mailbox in it');
  const session = await repository.begin(before.manifest.entity, { workers: 1 });
  expect(session.resumes).toBe(true);
  await session.close();
  const mailbox = new SampleMailbox(before.manifest.entity);
  mailbox.folder(1, 'INBOX');
  mailbox.mail(1, 30, 'of today', mail('of today'));
  const { signal } = new AbortController();
  const made = await runBackup(repository, mailbox.session(), { signal, progress: () => {}, clock: systemClock, workers: 1 });
  expect(made.predecessor).toEqual({ id: before.manifest.id, sha256: before.sha256 });
  const snapshots = await readWithHoldfast(repository);
  expect(Object.keys(snapshots.find(({ id }) => id === made.id)?.items ?? {}).toSorted()).toEqual(['INBOX', 'INBOX/of today']);
  expect(snapshots.length).toBe(6);
  expect((await check(repository, { readData: 100 })).errors).toEqual([]);
});

test('it is never made again', () => {
  const made = spawnSync(process.execPath, [join(import.meta.dirname, 'makeFixture.ts'), FOLDER], { encoding: 'utf8' });
  expect(made.status).toBe(1);
  expect(made.stderr).toContain('is not empty');
});
