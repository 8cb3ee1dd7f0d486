import { createHash } from 'node:crypto';
import {
  chmodSync, chownSync, existsSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { never, ScratchRepository, unheard } from '../../tests/roundTrip/scratchRepository.ts';
import { found, ScriptedSource, listing } from '../../tests/sources/scriptedSource.ts';
import { runBackup } from '../backup/index.ts';
import type { Descriptor, DiskEntry, SourceChange, SourceSession } from '../connectors/contract.ts';
import { descriptor as folderDescriptor, openSource } from '../connectors/folder/index.ts';
import { HoldfastError } from '../domain/index.ts';
import type { Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { picture } from './testing/picture.ts';
import { restoreFolder, type RestoreFolderOptions } from './restoreFolder.ts';
import type { RestoreReport } from './restoreReport.ts';

const ROOT = process.getuid?.() === 0;

async function scratchRepository(storage = new MemoryStorage()): Promise<ScratchRepository> {
  const scratch = await ScratchRepository.make(storage);
  onTestFinished(() => scratch[Symbol.dispose]());
  return scratch;
}

async function backup(scratch: ScratchRepository, source: SourceSession): Promise<Manifest> {
  return runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock, workers: 1 });
}

function restore(
  scratch: ScratchRepository, manifest: Manifest, options: Partial<RestoreFolderOptions> & { to: string },
): Promise<RestoreReport> {
  return restoreFolder(scratch.repository, manifest, { descriptor: scripted, signal: never, progress: unheard, workers: 1, ...options });
}

/** Rows whose meta is the DiskEntry itself as JSON, times as text. */
const scripted: Descriptor = {
  service: 'scripted', title: '', kinds: {}, limits: [],
  search: { titles: { name: 'Name' }, format: () => undefined, fields: () => ({ author: '', recipients: '' }) },
  preview: { form: () => undefined },
  onDisk: ({ meta }) => {
    const { modifiedNs, ...entry } = JSON.parse(meta) as DiskEntry & { modifiedNs?: string };
    return { ...entry, ...(modifiedNs === undefined ? {} : { modifiedNs: BigInt(modifiedNs) }) };
  },
};

interface Fields {
  readonly parent?: string;
  readonly mode?: number;
  readonly modifiedNs?: string;
  readonly link?: string;
}

const file = (key: string, name: string, { parent = '', ...meta }: Fields = {}): SourceChange =>
  found(key, { parent, name, kind: 'file', meta: JSON.stringify({ name, ...meta }) });
const folder = (key: string, name: string, parent = ''): SourceChange =>
  found(key, { parent, name, kind: 'folder', meta: JSON.stringify({ name }) }, { from: 'none' });
const link = (key: string, name: string, target: string, parent = ''): SourceChange =>
  found(key, { parent, name, kind: 'link', meta: JSON.stringify({ name, link: target }) }, { from: 'none' });

/** Names that are no UTF-8 are left out. */
const files = (path: string): string[] =>
  readdirSync(path, { recursive: true }).map(String).filter((name) => !name.includes('\ufffd')).sort();

describe('a tree', () => {
  /** Every kind of entry, with modes, times, owners and names that are easily lost. */
  function makeTree(top: string): void {
    for (const name of ['', '/deep', '/deep/er', '/empty', '/sticky']) mkdirSync(top + name);
    const raw = (name: string): Buffer => Buffer.from(`${top}/${name}`, 'latin1');
    const modes: Record<string, number> = { 'plain': 0o644, 'private': 0o600, 'run': 0o755, 'open': 0o666, 'set': 0o4755, 'deep/er/none': 0o000, 'line\nbreak': 0o640 };
    for (const [name, mode] of Object.entries(modes)) {
      writeFileSync(raw(name), `content of ${name}`);
      if (ROOT) chownSync(raw(name), 1234, 5678);
      chmodSync(raw(name), mode);
    }
    for (let i = 0; i < 40; i++) writeFileSync(raw(`deep/${i}`), Buffer.alloc(i * 997, `${i}`));
    writeFileSync(raw('\xff\xfe raw'), 'no UTF-8');
    writeFileSync(raw('nothing'), '');
    writeFileSync(raw('large'), Buffer.alloc(30_000_000, 'large'));
    symlinkSync('../plain', raw('deep/to plain'));
    symlinkSync('/nowhere/\xff', raw('dangling'));
    symlinkSync('deep', raw('to deep'));
    for (const name of files(top)) lutimesSync(raw(Buffer.from(name).toString('latin1')), 5e8 + name.length + 0.25, 5e8 + name.length + 0.25);
    lutimesSync(raw('\xff\xfe raw'), 5e8, 5e8);
    chmodSync(`${top}/sticky`, 0o1777);
    for (const [i, name] of ['/deep/er', '/deep', '/empty', '/sticky', ''].entries()) utimesSync(top + name, 1e8 + i, 1e8 + i);
  }

  test('comes back with bytes, modes, owners, times and links; a second run writes nothing', async () => {
    const scratch = await scratchRepository();
    const [tree, to] = [scratch.path('tree'), scratch.path('to')];
    makeTree(tree);
    const manifest = await backup(scratch, await openSource({ path: tree }));
    const options = { to, descriptor: folderDescriptor };
    const report = await restore(scratch, manifest, options);
    expect(report).toMatchObject({ written: 53, unchanged: 0, failed: 0, folders: 5, issues: [] });
    expect(picture(to)).toEqual(picture(tree));
    const touched = (): bigint[] => files(to).map((name) => lstatSync(`${to}/${name}`, { bigint: true }))
      .filter((stats) => !stats.isDirectory()).map((stats) => stats.ctimeNs);
    const before = touched();
    for (const mode of ['refuse', 'skip', 'replace'] as const) {
      expect(await restore(scratch, manifest, { ...options, mode })).toMatchObject({ written: 0, replaced: 0, unchanged: 53, failed: 0, bytes: 0, issues: [] });
    }
    expect(touched()).toEqual(before);
    expect(picture(to)).toEqual(picture(tree));
  });

  test('modes come back whatever the umask is', async () => {
    const scratch = await scratchRepository();
    const changes = Array.from({ length: 20 }, (_, i) => file(`k${String(i).padStart(2, '0')}`, `f${i}`, { mode: [0o644, 0o755, 0o666, 0o600][i % 4] ?? 0 }));
    const manifest = await backup(scratch, new ScriptedSource({ changes: [listing(...changes)] }));
    const old = process.umask(0o077);
    onTestFinished(() => { process.umask(old); });
    await restore(scratch, manifest, { to: scratch.path('to') });
    const modes = changes.map((_, i) => lstatSync(scratch.path('to', `f${i}`)).mode & 0o777);
    expect(modes).toEqual(changes.map((_, i) => [0o644, 0o755, 0o666, 0o600][i % 4]));
  });

  test('whose folder lies in one with a later key is put together all the same', async () => {
    const scratch = await scratchRepository();
    const changes = listing(folder('f1', 'moved', 'f9'), folder('f2', 'below', 'f1'), folder('f3', 'top'), folder('f9', 'new', 'f3'), file('m1', 'mail', { parent: 'f1' }), file('m2', 'mail', { parent: 'f2' }));
    const manifest = await backup(scratch, new ScriptedSource({ changes: [changes] }));
    expect(await restore(scratch, manifest, { to: scratch.path('to') })).toMatchObject({ written: 2, folders: 4, failed: 0 });
    expect(files(scratch.path('to'))).toEqual([
      'top', 'top/new', 'top/new/moved', 'top/new/moved/below', 'top/new/moved/below/mail', 'top/new/moved/mail',
    ]);
  });
});

describe('what stands there already', () => {
  const changes = listing(
    file('a', 'equal', { modifiedNs: '1000000000000000000' }), file('b', 'other'), file('c', 'in the way'), folder('d', 'folder'),
    file('e', 'inside', { parent: 'd' }), file('f', 'new'), link('g', 'link', 'target'), link('h', 'other link', 'target'),
  );
  async function prepared(): Promise<{ scratch: ScratchRepository; manifest: Manifest; to: string; outside: string }> {
    const scratch = await scratchRepository();
    const manifest = await backup(scratch, new ScriptedSource({ changes: [changes] }));
    const [to, outside] = [scratch.path('to'), scratch.path('outside')];
    for (const path of [to, outside, `${to}/in the way`]) mkdirSync(path);
    writeFileSync(`${to}/equal`, 'A');
    utimesSync(`${to}/equal`, 1e9, 1e9);
    writeFileSync(`${to}/other`, 'mine');
    writeFileSync(`${to}/in the way/kept`, 'kept');
    symlinkSync(outside, `${to}/folder`);
    writeFileSync(`${outside}/inside`, 'not yours');
    symlinkSync('target', `${to}/link`);
    writeFileSync(`${to}/other link`, 'mine');
    return { scratch, manifest, to, outside };
  }
  const codes = (report: RestoreReport): string[] => report.issues.map(({ item, code }) => `${item}: ${code}`).sort();

  test('is left alone and named, and nothing goes through a link', async () => {
    const { scratch, manifest, to, outside } = await prepared();
    const before = picture(outside);
    const report = await restore(scratch, manifest, { to });
    expect(codes(report)).toEqual(['folder: restore/exists', 'in the way: restore/exists', 'inside: restore/no-folder', 'other link: restore/exists', 'other: restore/exists']);
    expect(report).toMatchObject({ written: 1, unchanged: 2, replaced: 0, skipped: 0, failed: 5 });
    expect([readFileSync(`${to}/other`, 'utf8'), readFileSync(`${to}/other link`, 'utf8'), readFileSync(`${to}/equal`, 'utf8')]).toEqual(['mine', 'mine', 'A']);
    expect(picture(outside)).toEqual(before);
  });

  test('is skipped without a word where that is asked for, but for what keeps a folder from being made', async () => {
    const { scratch, manifest, to, outside } = await prepared();
    const report = await restore(scratch, manifest, { to, mode: 'skip' });
    expect(report).toMatchObject({ written: 1, unchanged: 2, skipped: 3, replaced: 0, failed: 2 });
    expect(codes(report)).toEqual(['folder: restore/exists', 'inside: restore/no-folder']);
    expect(readFileSync(`${outside}/inside`, 'utf8')).toBe('not yours');
  });

  test('is replaced where that is asked for; a folder never by a file, what a link leads to never at all', async () => {
    const { scratch, manifest, to, outside } = await prepared();
    const before = picture(outside);
    const report = await restore(scratch, manifest, { to, mode: 'replace' });
    expect(codes(report)).toEqual(['in the way: restore/exists']);
    expect(report).toMatchObject({ written: 2, unchanged: 2, replaced: 2, failed: 1 });
    expect(picture(outside)).toEqual(before);
    expect([readFileSync(`${to}/other`, 'utf8'), readFileSync(`${to}/folder/inside`, 'utf8'), readlinkSync(`${to}/other link`)]).toEqual(['b', 'e', 'target']);
    expect(lstatSync(`${to}/folder`).isDirectory()).toBe(true);
    expect(readFileSync(`${to}/in the way/kept`, 'utf8')).toBe('kept');
    expect(files(to).filter((name) => name.includes('.holdfast'))).toEqual([]);
  });
});

test('names that would lead elsewhere are refused with all below them, and the rest comes back', async () => {
  const scratch = await scratchRepository();
  const bad = ['..', '.', '', 'a/b', '/etc', 'x\0y'];
  const changes = listing(
    ...bad.flatMap((name, i) => [folder(`f${i}`, name)]), folder('f7', 'good'), folder('f8', '..', 'f7'), folder('f9', 'deeper', 'f8'),
    ...bad.map((name, i) => file(`i${i}`, name)), file('j1', 'evil', { parent: 'f0' }), file('j2', 'evil', { parent: 'f9' }), file('k', 'fine', { parent: 'f7' }),
    ...bad.map((name, i) => link(`l${i}`, name, '/etc/passwd')), link('m', 'link', '../../anywhere', 'f7'),
  );
  const manifest = await backup(scratch, new ScriptedSource({ changes: [changes] }));
  mkdirSync(scratch.path('around'));
  const to = scratch.path('around', 'to');
  const report = await restore(scratch, manifest, { to });
  expect(files(scratch.path('around'))).toEqual(['to', 'to/good', 'to/good/fine', 'to/good/link']);
  const counts = Object.entries(Object.groupBy(report.issues, ({ code }) => code)).map(([code, issues]) => [code, issues?.length]);
  // '.' at the top is the root itself for a folder, and no name for anything else.
  expect(Object.fromEntries(counts)).toEqual({ 'restore/bad-name': 5 + 1 + 6 + 6, 'restore/no-folder': 1 + 2 });
  expect(report).toMatchObject({ written: 2, failed: report.issues.length });
});

test('a link and a folder of one name: the folder stands, and nothing is written through the link', async () => {
  const scratch = await scratchRepository();
  const outside = scratch.path('outside');
  mkdirSync(outside);
  const changes = listing(link('a', 'same', outside), folder('b', 'same'), file('c', 'evil', { parent: 'b' }));
  const manifest = await backup(scratch, new ScriptedSource({ changes: [changes] }));
  for (const mode of ['refuse', 'replace'] as const) {
    const to = scratch.path(mode);
    const report = await restore(scratch, manifest, { to, mode });
    expect(report).toMatchObject({ written: 1, failed: 1, issues: [{ item: 'same', code: 'restore/exists' }] });
    expect(files(to)).toEqual(['same', 'same/evil']);
    expect(files(outside)).toEqual([]);
  }
});

describe('damage', () => {
  const KEYS = Array.from({ length: 60 }, (_, i) => `k${String(i).padStart(2, '0')}`);
  /** Bytes that do not compress: the frames of a pack are as long as what is in them. */
  const noise = (seed: string): string =>
    Buffer.concat(Array.from({ length: 1200 }, (_, i) => createHash('sha512').update(`${seed}/${i}`).digest())).toString('latin1');
  const contents = Object.fromEntries(KEYS.map((key) => [key, noise(key)]));

  async function damaged(change: (storage: MemoryStorage, pack: string) => Promise<void>): Promise<{ report: RestoreReport; whole: string[]; wrong: string[] }> {
    const storage = new MemoryStorage();
    const scratch = await scratchRepository(storage);
    const manifest = await backup(scratch, new ScriptedSource({ changes: [listing(...KEYS.map((key) => file(key, key)))], contents }));
    for await (const { name } of listAll(storage, 'packs/')) await change(storage, name);
    const to = scratch.path('to');
    const report = await restore(scratch, manifest, { to });
    const there = KEYS.filter((key) => existsSync(`${to}/${key}`));
    const whole = there.filter((key) => readFileSync(`${to}/${key}`, 'latin1') === contents[key]);
    return { report, whole, wrong: there.filter((key) => !whole.includes(key)) };
  }

  test('of one byte costs the items of one frame; each is named, and no wrong byte is written', async () => {
    const { report, whole, wrong } = await damaged(async (storage, pack) => {
      const bytes = Buffer.from(await storage.get(pack));
      const at = bytes.length >> 1;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      await storage.delete(pack);
      await storage.put(pack, [bytes]);
    });
    expect(wrong).toEqual([]);
    // A frame is a MiB: some fourteen of these items, and one that lies in two.
    expect(report.failed).toBeGreaterThan(0);
    expect(report.failed).toBeLessThan(20);
    expect(whole).toHaveLength(KEYS.length - report.failed);
    expect(report).toMatchObject({ written: whole.length });
    expect(report.issues.map(({ item }) => item)).toEqual(KEYS.filter((key) => !whole.includes(key)));
    expect(report.issues.every(({ code }) => code === 'repository/damaged')).toBe(true);
  });

  test('a pack that is gone costs what is in it, by name', async () => {
    const { report, whole, wrong } = await damaged(async (storage, pack) => storage.delete(pack));
    expect([whole, wrong]).toEqual([[], []]);
    expect(report).toMatchObject({ written: 0, failed: KEYS.length });
    expect(report.issues.map(({ item }) => item)).toEqual(KEYS);
  });
});

test('what the snapshot lacks is named, and what it has of it comes back', async () => {
  const scratch = await scratchRepository();
  await backup(scratch, new ScriptedSource({ changes: [listing(file('a', 'a'))], contents: { a: 'earlier' } }));
  const failure = { state: 'failed', code: 'unreadable', message: 'Not today.' } as const;
  const later = { ...file('a', 'a'), item: { ...(file('a', 'a') as { item: object }).item, change: 'v2' } } as SourceChange;
  const manifest = await backup(scratch, new ScriptedSource({ changes: [listing(later, file('b', 'b'))], contents: { a: failure, b: failure } }));
  const report = await restore(scratch, manifest, { to: scratch.path('to') });
  expect(report.issues).toEqual([
    { item: 'a', code: 'restore/altered', message: 'Not today. The content is that of an earlier run.' },
    { item: 'b', code: 'restore/no-content', message: 'Not today.' },
  ]);
  expect(report).toMatchObject({ written: 1, failed: 1 });
  expect(readFileSync(scratch.path('to', 'a'), 'utf8')).toBe('earlier');
});

test('a cancelled restore ends with the reason that it was given', async () => {
  const scratch = await scratchRepository();
  const manifest = await backup(scratch, new ScriptedSource({ changes: [listing(...Array.from({ length: 3000 }, (_, i) => file(`k${String(i).padStart(4, '0')}`, `${i}`)))] }));
  const controller = new AbortController();
  const reason = new HoldfastError('test/stop', 'never', 'stop');
  const progress = (): void => controller.abort(reason);
  await expect(restore(scratch, manifest, { to: scratch.path('to'), signal: controller.signal, progress })).rejects.toBe(reason);
});
