import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { SourceChange } from '../contract.ts';
import { decodeItemMeta } from './itemMeta.ts';
import { batchesOf, changesOf, entriesOf, laterClock, scratchFolder } from './testTree.ts';
import { ROOT_KEY, walkTree } from './walkTree.ts';

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const keysOf = (changes: readonly SourceChange[]) =>
  changes.flatMap((change) => (change.type === 'item' || change.type === 'exception' ? [change.item.key] : []));

test('lists files, folders and links between listing and listed, the root first', async () => {
  const root = scratchFolder();
  mkdirSync(join(root, 'a', 'empty'), { recursive: true });
  writeFileSync(join(root, 'a', 'x.txt'), 'hello');
  writeFileSync(join(root, 'a!'), '');
  symlinkSync('a/x.txt', join(root, 'z'));
  const changes = await changesOf(root);
  expect(changes.at(0)).toEqual({ type: 'listing', prefix: '' });
  expect(changes.at(-1)).toEqual({ type: 'listed', prefix: '' });
  const told = changes.slice(1, -1).map((change) => {
    if (change.type !== 'item') return change;
    const { key, parent, name, kind, size } = change.item;
    return [key, parent, name, kind, size, change.content];
  });
  expect(told).toEqual([
    [ROOT_KEY, '', '.', 'folder', 0, { from: 'none' }],
    ['a', '', 'a', 'folder', 0, { from: 'none' }],
    ['a\0empty', 'a', 'empty', 'folder', 0, { from: 'none' }],
    ['a\0x.txt', 'a', 'x.txt', 'file', 5, { from: 'file', path: `${root}/a/x.txt` }],
    ['a!', '', 'a!', 'file', 0, { from: 'file', path: `${root}/a!` }],
    ['z', '', 'z', 'link', 0, { from: 'none' }],
  ]);
});

test('an empty folder lists as its own row only', async () => {
  expect(keysOf(await changesOf(scratchFolder()))).toEqual([ROOT_KEY]);
});

test('names keep their bytes: newline, quotes, no UTF-8, composed and decomposed letters, 255 bytes', async () => {
  const root = scratchFolder();
  const names = [
    'line\nbreak', ' ', '..x', '-rf', 'q"\'\\', latin1('\u00e9'), latin1('e\u0301'), latin1('日本'), '\xff\xfe raw',
    'n'.repeat(255),
  ];
  const inside = Buffer.from(`${root}/\xe9 folder`, 'latin1');
  mkdirSync(inside);
  writeFileSync(Buffer.from(`${root}/\xe9 folder/f\xf8`, 'latin1'), 'x');
  for (const name of names) writeFileSync(Buffer.from(`${root}/${name}`, 'latin1'), name.slice(0, 3));
  const entries = await entriesOf(root);
  expect([...entries.keys()]).toEqual([ROOT_KEY, ...names, '\xe9 folder', '\xe9 folder\0f\xf8'].sort());
  expect(entries.get('\xff\xfe raw')?.item.name).toBe('\ufffd\ufffd raw');
  expect(entries.get(latin1('日本'))?.item.name).toBe('日本');
  expect(entries.get(latin1('e\u0301'))?.item.name).toBe('e\u0301');
  expect(entries.get('\xe9 folder\0f\xf8')).toMatchObject({
    item: { parent: '\xe9 folder', name: 'f\ufffd', size: 1 },
    content: { from: 'file', path: `${root}/\xe9 folder/f\xf8` },
  });
});

test('links are kept as links, loops and dangling ones too, with every byte of the target', async () => {
  const root = scratchFolder();
  mkdirSync(join(root, 'd'));
  symlinkSync('..', join(root, 'd', 'up'));
  symlinkSync('self', join(root, 'self'));
  symlinkSync(Buffer.from('gone/\xff\n', 'latin1'), join(root, 'dangling'));
  const entries = await entriesOf(root);
  const targets = ['d\0up', 'self', 'dangling'].map((key) => decodeItemMeta(entries.get(key)?.item.meta ?? '')?.target);
  expect(targets).toEqual(['..', 'self', 'gone/\xff\n']);
  expect(entries.size).toBe(5);
});

test('a root that is itself a link is followed', async () => {
  const root = scratchFolder();
  mkdirSync(join(root, 'real'));
  writeFileSync(join(root, 'real', 'f'), 'x');
  symlinkSync('real', join(root, 'alias'));
  expect(keysOf(await changesOf(join(root, 'alias')))).toEqual([ROOT_KEY, 'f']);
});

test('mode, owner and the exact time are in the fields; hard links are noted', async () => {
  const root = scratchFolder();
  writeFileSync(join(root, 'one'), 'x');
  linkSync(join(root, 'one'), join(root, 'two'));
  execFileSync('touch', ['-d', '2020-02-03T04:05:06.123456789Z', join(root, 'one')]);
  chmodSync(join(root, 'one'), 0o4751);
  mkdirSync(join(root, 'sticky'));
  chmodSync(join(root, 'sticky'), 0o1777);
  const entries = await entriesOf(root);
  const one = entries.get('one');
  const stats = lstatSync(join(root, 'one'), { bigint: true });
  expect(one?.item.modified).toBe(Date.parse('2020-02-03T04:05:06.123Z'));
  expect(decodeItemMeta(one?.item.meta ?? '')).toEqual({
    mode: 0o4751,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
    mtimeNs: 1_580_702_706_123_456_789n,
    hardLink: { links: 2, dev: String(stats.dev), ino: String(stats.ino) },
  });
  expect(entries.get('two')?.item.meta).toBe(one?.item.meta);
  expect(decodeItemMeta(entries.get('sticky')?.item.meta ?? '')).toMatchObject({ mode: 0o1777 });
  expect(decodeItemMeta('')).toBeUndefined();
});

test('pipes, sockets and devices are named as skipped', async () => {
  const root = scratchFolder();
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const server = createServer().listen(join(root, 'socket'));
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const hasDevice = spawnSync('mknod', [join(root, 'device'), 'c', '1', '3']).status === 0;
  const changes = (await changesOf(root)).slice(2, -1);
  expect(changes).toHaveLength(hasDevice ? 3 : 2);
  for (const change of changes) {
    expect(change).toMatchObject({ type: 'exception', item: { kind: 'special' } });
    expect(change).toMatchObject({ outcome: { state: 'skipped', code: 'special-file' } });
  }
});

test('the change key stays while nothing changes and moves with content, mode, time and file', async () => {
  const root = scratchFolder();
  const file = join(root, 'f');
  writeFileSync(file, 'abc');
  const keyNow = async () => (await entriesOf(root)).get('f')?.item.change ?? '';
  const seen = [await keyNow()];
  expect(await keyNow()).toBe(seen[0]);
  expect(seen[0]).toHaveLength(32);
  const steps = [
    () => writeFileSync(file, 'abcd'),
    () => chmodSync(file, 0o600),
    () => utimesSync(file, 1, 1),
    () => {
      writeFileSync(join(root, 'g'), 'wxyz');
      utimesSync(join(root, 'g'), 1, 1);
      renameSync(join(root, 'g'), file);
    },
  ];
  for (const step of steps) {
    const before = lstatSync(file, { bigint: true }).ctimeNs;
    // ctime may move in ticks of 10 ms: the step is repeated until the kernel shows it.
    do step();
    while (lstatSync(file, { bigint: true }).ctimeNs === before);
    seen.push(await keyNow());
  }
  expect(new Set(seen).size).toBe(seen.length);
});

test('a file changed within a clock tick of the listing gets a key that the next run does not find again', async () => {
  const root = scratchFolder();
  writeFileSync(join(root, 'f'), 'abc');
  const changedMs = Number(lstatSync(join(root, 'f')).ctimeMs);
  const keyAt = async (ms: number) => {
    const clock = { now: () => ms, monotonic: () => 0 };
    return (await entriesOf(root, clock)).get('f')?.item.change;
  };
  const during = await keyAt(changedMs + 1);
  const later = await keyAt(changedMs + 60_000);
  expect(during).not.toBe(later);
  expect(await keyAt(changedMs + 2)).not.toBe(during);
  expect(await keyAt(changedMs + 120_000)).toBe(later);
});

test('keys ascend strictly in random trees and are the paths of what stands there', async () => {
  // Bytes around the separator, '/', '.', letters and the top of the range: where orders could differ.
  const byte = fc.constantFrom(0x01, 0x20, 0x21, 0x2d, 0x2e, 0x30, 0x41, 0x61, 0x62, 0x7f, 0x80, 0xc3, 0xff);
  const name = fc
    .array(byte, { minLength: 1, maxLength: 4 })
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
    .filter((text) => text !== '.' && text !== '..');
  const path = fc.array(name, { minLength: 1, maxLength: 5 });
  const property = fc.asyncProperty(fc.array(path, { maxLength: 40 }), async (paths) => {
    const root = scratchFolder();
    const expected = new Set([ROOT_KEY]);
    for (const parts of paths) {
      mkdirSync(Buffer.from([root, ...parts].join('/'), 'latin1'), { recursive: true });
      parts.forEach((_, at) => expected.add(parts.slice(0, at + 1).join('\0')));
    }
    expect(keysOf(await changesOf(root))).toEqual([...expected].sort());
    rmSync(root, { recursive: true });
  });
  await fc.assert(property, { numRuns: 100 });
});

test('a signal aborted between two batches ends the listing with its reason', async () => {
  const root = scratchFolder();
  for (let file = 0; file < 1500; file++) writeFileSync(join(root, `f${file}`), '');
  const abort = new AbortController();
  const reason = new Error('stop');
  const walk = walkTree(root, laterClock, abort.signal);
  expect((await walk.next()).value).toHaveLength(48);
  abort.abort(reason);
  await expect(walk.next()).rejects.toBe(reason);
});

test('3,000 files come in bounded batches and leave room for the event loop', async () => {
  const root = scratchFolder();
  for (let folder = 0; folder < 12; folder++) {
    mkdirSync(join(root, `d${folder}`));
    for (let file = 0; file < 250; file++) writeFileSync(join(root, `d${folder}`, `f${file}`), '');
  }
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const batches = await batchesOf(root);
  clearInterval(timer);
  const keys = keysOf(batches.flat());
  expect(keys).toHaveLength(3000 + 12 + 1);
  expect(keys.every((key, at) => at === 0 || key > (keys[at - 1] ?? ''))).toBe(true);
  expect(batches.length).toBe(63);
  for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(50);
  expect(turns).toBeGreaterThan(0);
});

test('an aborted signal ends the listing with its reason', async () => {
  const root = scratchFolder();
  const reason = new Error('stop');
  await expect(batchesOf(root, laterClock, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a path too long for the system is named and what lies below is unknown, not gone', async () => {
  const root = scratchFolder();
  const deeper = `mkdir ${'n'.repeat(250)} && cd -P ${'n'.repeat(250)} || exit 1`;
  const script = `i=0; while [ $i -lt 18 ]; do ${deeper}; i=$((i+1)); done`;
  execFileSync('sh', ['-c', script], { cwd: root });
  const changes = (await changesOf(root)).slice(-3, -1);
  expect(changes[0]).toMatchObject({
    type: 'exception',
    item: { kind: 'folder', change: '' },
    outcome: { state: 'failed', code: 'path-too-long' },
  });
  expect(changes[1]).toEqual({ type: 'unknown', prefix: `${keysOf(changes)[0]}\0` });
});

test('what may not be read is named and what lies below is unknown, not gone', async (context) => {
  const root = scratchFolder();
  for (const path of ['closed/in', 'nolook/sub/f', 'open/f']) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'nolook', 'file'), 'x');
  chmodSync(join(root, 'closed'), 0o300);
  chmodSync(join(root, 'nolook'), 0o444);
  chmodSync(root, 0o755);
  const asNobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = spawn(process.execPath, [join(import.meta.dirname, 'listForTest.ts'), root], { ...asNobody, cwd: '/' });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors += data));
  const started = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)]);
  if (!started) context.skip('this user cannot start a process as nobody');
  await once(child, 'close');
  if (/Cannot find module|EACCES/.test(errors)) context.skip(`nobody cannot read the sources: ${errors}`);
  expect(errors).toBe('');
  expect(JSON.parse(output)).toEqual([
    { type: 'listing', prefix: '' },
    { type: 'item', key: ROOT_KEY, kind: 'folder' },
    { type: 'exception', key: 'closed', kind: 'folder', code: 'unreadable' },
    { type: 'unknown', prefix: 'closed\0' },
    { type: 'item', key: 'nolook', kind: 'folder' },
    { type: 'exception', key: 'nolook\0file', kind: 'file', code: 'unreadable' },
    { type: 'exception', key: 'nolook\0sub', kind: 'folder', code: 'unreadable' },
    { type: 'unknown', prefix: 'nolook\0sub\0' },
    { type: 'item', key: 'open', kind: 'folder' },
    { type: 'item', key: 'open\0f', kind: 'folder' },
    { type: 'listed', prefix: '' },
  ]);
});

test('a root that vanished after opening throws instead of listing nothing', async () => {
  const root = scratchFolder();
  const now = () => {
    rmSync(root, { recursive: true, force: true });
    return 0;
  };
  const later = { now, monotonic: () => 0 };
  await expect(changesOf(root, later)).rejects.toMatchObject({ code: 'folder/unreadable', retryClass: 'retry' });
});

test('entries that vanish or turn into something else while the tree is walked do not end the listing', async () => {
  const root = scratchFolder();
  mkdirSync(join(root, 'a'));
  for (const name of ['b', 'c', 'd']) mkdirSync(join(root, name, 'sub'), { recursive: true });
  let calls = 0;
  // The clock is asked before each directory is read, the root's first, then a's: everything after a changes then.
  const clock = {
    now: () => {
      if (++calls === 2) {
        rmSync(join(root, 'b'), { recursive: true });
        rmSync(join(root, 'c'), { recursive: true });
        writeFileSync(join(root, 'c'), 'now a file');
      }
      if (calls === 3) {
        rmSync(join(root, 'd'), { recursive: true });
        writeFileSync(join(root, 'd'), 'now a file');
      }
      return 0;
    },
    monotonic: () => 0,
  };
  const told = (await changesOf(root, clock)).slice(2, -1);
  expect(told).toMatchObject([
    { type: 'item', item: { key: 'a', kind: 'folder' } },
    { type: 'item', item: { key: 'c', kind: 'file' } },
    { type: 'exception', item: { key: 'd', kind: 'folder', change: '' }, outcome: { code: 'changed-while-read' } },
    { type: 'unknown', prefix: 'd\0' },
  ]);
});
