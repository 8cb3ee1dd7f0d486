import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { filesBelow, readMails, readManifest, sha256Of, testZip, unpackZip, type ManifestLine, type ReadMail } from '../../tests/export/readers.ts';
import { nastyMails } from '../../tests/roundTrip/nastyMails.ts';
import { never, ScratchRepository, sha256, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { found, listing, ScriptedSource, type Script } from '../../tests/sources/scriptedSource.ts';
import { runBackup } from '../backup/index.ts';
import type { SourceChange } from '../connectors/contract.ts';
import { descriptor } from '../connectors/imap/index.ts';
import type { ProgressEvent } from '../domain/index.ts';
import type { Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { FileSink, listAll } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { exportSnapshot, type ExportOptions } from './exportSnapshot.ts';
import type { ExportReport } from './exportReport.ts';

interface Bench {
  readonly scratch: ScratchRepository;
  readonly storage: MemoryStorage;
  readonly manifest: Manifest;
  readonly to: string;
}

const folder = (key: string, name: string, parent = ''): SourceChange => found(key, { name, parent, kind: 'folder' }, { from: 'none' });
const mail = (key: string, parent = '', size = 0): SourceChange =>
  found(key, { name: `Subject ${key}`, parent, size, modified: Date.UTC(2024, 0, 2, 3, 4, 5) });

async function snapshot(changes: readonly SourceChange[], contents: Script['contents'] = {}): Promise<Bench> {
  const storage = new MemoryStorage();
  const scratch = await ScratchRepository.make(storage);
  onTestFinished(() => scratch[Symbol.dispose]());
  const source = new ScriptedSource({ changes: [listing(...changes)], contents });
  const manifest = await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock, workers: 1 });
  return { scratch, storage, manifest, to: scratch.path('out') };
}

function run({ scratch, manifest, to }: Bench, format: ExportOptions['format'], options: Partial<ExportOptions> = {}): Promise<ExportReport> {
  return exportSnapshot(scratch.repository, manifest, {
    sink: new FileSink(to), format, descriptor, partSize: 5e9, signal: never, progress: unheard, workers: 1, ...options,
  });
}

const itemsOf = (lines: readonly ManifestLine[]): ManifestLine[] => lines.filter(({ type }) => type === 'item');
const hashes = (things: readonly { readonly sha256: string }[]): string[] => things.map((one) => one.sha256).sort();
const full = (to: string, files: readonly string[]): string[] => files.map((file) => join(to, file));

/** Every mail that other programs stumble over, in folders with odd names. */
async function nastyMailbox(): Promise<Bench & { readonly sums: string[]; readonly origin: string }> {
  const { mails, origin } = nastyMails();
  const all = [...mails, { name: 'no bytes', bytes: Buffer.alloc(0) }];
  const names = ['INBOX', 'inbox', 'CON', '../up', 'Büro 日本', 'a/b', 'dots...'];
  const folders = names.map((name, i) => folder(`f${i}`, name, i === 6 ? 'f0' : ''));
  const key = (i: number): string => `m${i % names.length}${String(i).padStart(6, '0')}`;
  const order = all.map((one, i) => ({ key: key(i), parent: `f${i % names.length}`, bytes: one.bytes })).sort((a, b) => (a.key < b.key ? -1 : 1));
  const bench = await snapshot(
    [...folders, folder('f7', 'empty', 'f0'), ...order.map(({ key: own, parent, bytes }) => mail(own, parent, bytes.length))],
    Object.fromEntries(order.map(({ key: own, bytes }) => [own, bytes.toString('latin1')])),
  );
  return { ...bench, sums: order.map(({ bytes }) => sha256(bytes)).sort(), origin };
}

test(`EML: Python reads ${nastyMails().origin} byte for byte`, async () => {
  const bench = await nastyMailbox();
  const report = await run(bench, 'eml');
  expect(report).toMatchObject({ items: bench.sums.length, missing: 0, folders: 8, files: bench.sums.length, issues: [] });
  const files = filesBelow(bench.to).filter((name) => name.endsWith('.eml'));
  expect(hashes(await readMails('eml', full(bench.to, files)))).toEqual(bench.sums);
  const lines = readManifest(bench.to);
  expect(itemsOf(lines).map(({ file }) => file).sort()).toEqual(files);
  for (const { file, sha256: sum } of itemsOf(lines)) expect(await sha256Of(join(bench.to, file)), file).toBe(sum);
  expect(lines.at(-1)).toMatchObject({ type: 'end', items: files.length, missing: 0 });
  // Folders that some systems take for one, or cannot have, are apart, and the empty one is there.
  const folders = readdirSync(bench.to, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  expect(folders.map((name) => name.replace(/ ~[0-9a-f]{10}$/, ' ~'))).toEqual(['Büro 日本', 'INBOX', '_CON ~', '__up', 'a_b', 'inbox ~']);
  expect(readdirSync(join(bench.to, 'INBOX', 'empty'))).toEqual([]);
}, 120_000);

test('MBOX: Python reads a file for each folder, and unquoting gives every byte but the LF that a mail without one gets', async () => {
  const bench = await nastyMailbox();
  const report = await run(bench, 'mbox');
  expect(report).toMatchObject({ items: bench.sums.length, missing: 0, files: 8 });
  const lines = readManifest(bench.to);
  const byFile = new Map<string, ReadMail[]>();
  const parts = lines.filter(({ type }) => type === 'part').map(({ file }) => file);
  expect(parts.sort()).toEqual(filesBelow(bench.to).filter((name) => name.endsWith('.mbox')));
  for (const one of await readMails('mbox', full(bench.to, parts))) byFile.set(one.file, [...byFile.get(one.file) ?? [], one]);
  let without = 0;
  for (const { file, size, sha256: sum, offset } of itemsOf(lines)) {
    const read = byFile.get(join(bench.to, file))?.shift();
    // What was added is told by the size.
    if (read?.size === size + 1) without++;
    expect(read?.size === size ? read.sha256 : read?.cut, `${file} at ${offset}`).toBe(sum);
    expect(read?.line).toMatch(/^\S+ Tue Jan {2}2 03:04:05 2024$/);
  }
  expect(without).toBeGreaterThan(5);
  expect([...byFile.values()].flat()).toEqual([]);
  expect(hashes(itemsOf(lines))).toEqual(bench.sums);
  for (const { file, sha256: sum, size } of lines.filter(({ type }) => type === 'part')) {
    expect([await sha256Of(join(bench.to, file)), readFileSync(join(bench.to, file)).length]).toEqual([sum, size]);
  }
}, 120_000);

test('ZIP: unzip and 7z give every mail back byte for byte, also from parts', async () => {
  const bench = await nastyMailbox();
  const report = await run(bench, 'zip', { partSize: 300_000 });
  expect(report).toMatchObject({ items: bench.sums.length, missing: 0, files: report.parts.length });
  expect(report.parts.length).toBeGreaterThan(2);
  const lines = readManifest(bench.to);
  for (const { file, size, sha256: sum, items } of report.parts) {
    await testZip(join(bench.to, file));
    expect(await sha256Of(join(bench.to, file))).toBe(sum);
    if (items > 1) expect(size).toBeLessThanOrEqual(300_000);
    for (const program of ['unzip', '7z'] as const) await unpackZip(program, join(bench.to, file), bench.scratch.path(program));
  }
  for (const program of ['unzip', '7z'] as const) {
    const top = bench.scratch.path(program);
    expect(filesBelow(top)).toEqual(itemsOf(lines).map(({ entry = '' }) => entry).sort());
    for (const { entry = '', sha256: sum } of itemsOf(lines)) expect(await sha256Of(join(top, entry)), `${program} ${entry}`).toBe(sum);
    expect(readdirSync(join(top, 'INBOX', 'empty'))).toEqual([]);
  }
  expect(hashes(itemsOf(lines))).toEqual(bench.sums);
}, 120_000);

test('parts are split between items; an item larger than a part has one of its own', async () => {
  const large = Array.from({ length: 30_000 }, (_, i) => `${i} From the line\n`).join('');
  const changes = [folder('f1', 'Work'), mail('m1', 'f1', 9), mail('m2', 'f1', large.length), mail('m3', 'f1', 9), mail('m4', 'f1', 9)];
  const bench = await snapshot(changes, { m1: 'one\nFrom \n', m2: large, m3: 'three', m4: 'four' });
  const zip = await run(bench, 'zip', { partSize: 10_000 });
  expect(zip.parts.map(({ file, items }) => [file, items])).toEqual([['export-0001.zip', 1], ['export-0002.zip', 1], ['export-0003.zip', 2]]);
  const mbox = await run({ ...bench, to: bench.scratch.path('mbox') }, 'mbox', { partSize: 10_000 });
  expect(mbox.parts.map(({ file, items }) => [file, items])).toEqual([['Work.mbox', 1], ['Work.part2.mbox', 1], ['Work.part3.mbox', 2]]);
  const counted = await run({ ...bench, to: bench.scratch.path('counted') }, 'zip', { zip: { mostEntries: 2, forceZip64: true } });
  expect(counted.parts.map(({ items }) => items)).toEqual([1, 2, 1]);
  for (const { file } of counted.parts) await testZip(bench.scratch.path('counted', file));
});

test('mails of folders that come mixed are each in a file of their folder, once', async () => {
  const folders = Array.from({ length: 20 }, (_, i) => folder(`f${String(i).padStart(2, '0')}`, `Folder ${i}`));
  const mails = Array.from({ length: 120 }, (_, i) => mail(`m${String(i).padStart(3, '0')}`, `f${String(i % (i < 60 ? 20 : 5)).padStart(2, '0')}`));
  const bench = await snapshot([...folders, ...mails]);
  expect(await run(bench, 'mbox')).toMatchObject({ items: 120, missing: 0, folders: 20, files: 20 });
  const lines = readManifest(bench.to);
  for (const { path, file } of itemsOf(lines)) expect(file).toBe(`${path.split('/')[0]}.mbox`);
  const read = await readMails('mbox', full(bench.to, filesBelow(bench.to).filter((name) => name.endsWith('.mbox'))));
  expect(hashes(read.map(({ cut = '' }) => ({ sha256: cut })))).toEqual(hashes(itemsOf(lines)));
});

test('contents larger than a batch go through as streams, in every format', async () => {
  const large = `Subject: large\n\n${'From the\n>From a large mail, '.padEnd(2000, 'which has more to say. ').repeat(13_000)}`;
  const bench = await snapshot([mail('a', '', 5), mail('b', '', large.length), mail('c', '', 5)], { a: 'first', b: large, c: 'third' });
  const sum = sha256(Buffer.from(large));
  await run(bench, 'eml');
  const eml = itemsOf(readManifest(bench.to))[1];
  expect([eml?.sha256, await sha256Of(join(bench.to, eml?.file ?? ''))]).toEqual([sum, sum]);
  const mbox = { ...bench, to: bench.scratch.path('mbox') };
  await run(mbox, 'mbox');
  const mails = await readMails('mbox', [join(mbox.to, 'mails.mbox')]);
  expect(mails.map(({ cut }) => cut)).toEqual([sha256(Buffer.from('first')), sum, sha256(Buffer.from('third'))]);
  const zip = { ...bench, to: bench.scratch.path('zip') };
  await run(zip, 'zip', { zip: { forceZip64: true } });
  await testZip(join(zip.to, 'export-0001.zip'));
  await unpackZip('unzip', join(zip.to, 'export-0001.zip'), bench.scratch.path('unzipped'));
  expect(await sha256Of(bench.scratch.path('unzipped', itemsOf(readManifest(zip.to))[1]?.entry ?? ''))).toBe(sum);
}, 120_000);

test('what has no content, what is altered and what is damaged is named with its path, and the rest goes on', async () => {
  const gone: SourceChange = { type: 'exception', item: { ...(mail('m1', 'f1') as { item: object }).item, key: 'm1' } as never, outcome: { state: 'failed', code: 'unreadable', message: 'Not today.' } };
  const bench = await snapshot([folder('f1', 'Work'), gone, mail('m2', 'f1', 2)]);
  const events: ProgressEvent[] = [];
  expect(await run(bench, 'eml', { progress: (event) => events.push(event) })).toMatchObject({
    items: 1, missing: 1, issues: [{ item: 'Work/Subject m1', code: 'export/no-content', message: 'Not today.' }],
  });
  expect(events.filter(({ type }) => type === 'warning')).toHaveLength(1);
  expect(readManifest(bench.to).find(({ type }) => type === 'missing')).toMatchObject({ path: 'Work/Subject m1', code: 'export/no-content' });
  for await (const { name } of listAll(bench.storage, 'packs/')) {
    const bytes = Buffer.from(await bench.storage.get(name));
    for (let at = 0; at < bytes.length; at += 16) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    await bench.storage.put(name, [bytes]);
  }
  for (const format of ['eml', 'mbox', 'zip'] as const) {
    const to = bench.scratch.path(format);
    const report = await run({ ...bench, to }, format);
    expect(report).toMatchObject({ items: 0, missing: 2 });
    expect(report.issues.map(({ code }) => code).sort()).toEqual(['export/no-content', 'repository/damaged']);
    expect(filesBelow(to).filter((name) => name.endsWith('.eml'))).toEqual([]);
  }
});

test('a damaged content that is a stream leaves nothing of it in any file', async () => {
  const large = Array.from({ length: 1_200_000 }, (_, i) => `line ${i} of it, not like others\n`).join('');
  const bench = await snapshot([mail('a', '', 5), mail('b', '', large.length), mail('c', '', 5)], { a: 'first', b: large, c: 'third' });
  const packs: string[] = [];
  for await (const { name } of listAll(bench.storage, 'packs/')) packs.push(name);
  const name = packs.at(-1) as string;
  const bytes = Buffer.from(await bench.storage.get(name));
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  await bench.storage.put(name, [bytes]);
  for (const format of ['eml', 'mbox', 'zip'] as const) {
    const to = bench.scratch.path(format);
    const report = await run({ ...bench, to }, format);
    expect([report.items, report.missing], format).toEqual([2, 1]);
    if (format === 'zip') await testZip(join(to, 'export-0001.zip'));
    if (format === 'mbox') expect(hashes((await readMails('mbox', [join(to, 'mails.mbox')])).map(({ cut = '' }) => ({ sha256: cut })))).toEqual(hashes(itemsOf(readManifest(to))));
    if (format === 'eml') expect(filesBelow(to)).toHaveLength(3);
  }
}, 120_000);

test('an export that is stopped takes away what it wrote, and nothing else; the snapshot is not pinned any more', async () => {
  const bench = await snapshot([folder('f1', 'Work'), ...Array.from({ length: 600 }, (_, i) => mail(`m${String(i).padStart(4, '0')}`, 'f1', 5))]);
  for (const format of ['eml', 'mbox', 'zip'] as const) {
    const stop = new AbortController();
    const reason = new Error('enough');
    const progress = (event: ProgressEvent): void => {
      if (event.type !== 'progress' || stop.signal.aborted) return;
      expect(readdirSync(bench.to)).toContain('manifest.jsonl.partial');
      writeFileSync(join(bench.to, 'mine.txt'), 'mine');
      stop.abort(reason);
    };
    await expect(run(bench, format, { signal: stop.signal, progress, partSize: 20_000 })).rejects.toBe(reason);
    expect(readdirSync(bench.to)).toEqual(['mine.txt']);
    await expect(run(bench, format)).rejects.toMatchObject({ code: 'export/not-empty', retryClass: 'input' });
    expect(readdirSync(bench.to)).toEqual(['mine.txt']);
    rmSync(bench.to, { recursive: true });
  }
  expect((await bench.storage.list('pins/')).objects).toEqual([]);
  await run(bench, 'zip');
  await expect(run(bench, 'zip')).rejects.toMatchObject({ code: 'export/not-empty' });
  expect(existsSync(join(bench.to, 'manifest.jsonl'))).toBe(true);
});

test('only what was chosen, below its folders; a snapshot of another kind refuses mail formats', async () => {
  const changes = [folder('f1', 'Work'), folder('f2', '2024', 'f1'), folder('f3', 'Other'), mail('m1', 'f1'), mail('m2', 'f2'), mail('m3', 'f3')];
  const bench = await snapshot(changes, { m1: '1', m2: '2', m3: '3' });
  const rows = { f1: { key: 'f1', parent: '', name: 'Work', kind: 'folder', size: 0, modified: null, change: '', meta: '', outcome: '', content: '' } };
  const chosen = { above: [rows.f1], within: ({ key, parent }: { key: string; parent: string }) => key === 'f2' || parent === 'f2', path: 'Work/2024' };
  expect(await run(bench, 'mbox', chosen)).toMatchObject({ items: 1, folders: 1 });
  expect(filesBelow(bench.to)).toEqual(['Work/2024.mbox', 'manifest.jsonl']);
  expect(readManifest(bench.to)[0]).toMatchObject({ type: 'export', format: 'mbox', path: 'Work/2024', snapshot: bench.manifest.id });
  const files = { ...descriptor, kinds: { file: { title: 'File', extension: '' } } };
  await expect(run({ ...bench, to: bench.scratch.path('x') }, 'eml', { descriptor: files })).rejects.toMatchObject({ code: 'export/no-format' });
  expect(existsSync(bench.scratch.path('x'))).toBe(false);
});
