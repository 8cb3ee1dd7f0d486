import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { isHoldfastError } from '../domain/index.ts';
import { FileStorage } from './fileStorage.ts';
import { listAll } from './listAll.ts';

const scratch = await mkdtemp(join(tmpdir(), 'holdfast-file-'));
let count = 0;
let root: string;
let storage: FileStorage;
const text = (words: string): Uint8Array[] => [new TextEncoder().encode(words)];

beforeEach(async () => {
  root = join(scratch, `r${count++}`);
  storage = await FileStorage.create(root);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => 'no error', (failure: unknown) => failure);
  return isHoldfastError(error) ? error.code : String(error);
}

async function names(): Promise<string[]> {
  const found = [];
  for await (const object of listAll(storage, '')) found.push(object.name);
  return found;
}

test('files and folders are for their owner alone', async () => {
  await storage.put('packs/ab/one', text('x'));
  const paths = ['', 'packs', 'packs/ab', 'packs/ab/one', '~tmp'].map((name) => join(root, name));
  const modes = await Promise.all(paths.map((path) => stat(path)));
  expect(modes.map((found) => (found.mode & 0o777).toString(8))).toEqual(['700', '700', '700', '600', '700']);
});

test('open refuses what is no folder, and writes nothing', async () => {
  expect(await codeOf(FileStorage.open(join(scratch, 'none')))).toBe('storage/no-location');
  await writeFile(join(root, 'file'), 'x');
  expect(await codeOf(FileStorage.open(join(root, 'file')))).toBe('storage/no-location');
  expect(await codeOf(FileStorage.create(join(root, 'file')))).toBe('storage/no-location');
  expect(await codeOf(FileStorage.create(join(root, 'file/below')))).toBe('storage/no-location');
  await FileStorage.open(root);
  expect(await readdir(root)).toEqual(['file']);
});

test('create makes the folders above, and opens what is there', async () => {
  const deep = await FileStorage.create(join(root, 'a/b/c'));
  await deep.put('x', text('1'));
  const again = await FileStorage.create(join(root, 'a/b/c'));
  expect(await again.get('x')).toEqual(text('1')[0]);
  expect(again.location).toBe(`file://${root}/a/b/c`);
});

test('a name that is a folder, or lies below an object, cannot be put', async () => {
  await storage.put('a/b', text('1'));
  expect(await codeOf(storage.put('a', text('2')))).toBe('storage/bad-name');
  expect(await codeOf(storage.put('a/b/c', text('2')))).toBe('storage/bad-name');
  expect(await codeOf(storage.put('a/b/c/d', text('2')))).toBe('storage/bad-name');
  expect(await names()).toEqual(['a/b']);
  expect(await readdir(join(root, '~tmp'))).toEqual([]);
  await storage.delete('a/b');
  await storage.put('a', text('2'));
  expect(await names()).toEqual(['a']);
});

test('what no put has made is no object', async () => {
  await storage.put('real', text('1'));
  for (const foreign of ['UPPER', '.DS_Store', 'lost+found', 'with space']) await writeFile(join(root, foreign), 'x');
  await mkdir(join(root, 'empty/deep'), { recursive: true });
  await symlink(join(root, 'real'), join(root, 'link'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  expect(await names()).toEqual(['real']);
  for (const name of ['link', 'pipe', 'empty', 'empty/deep']) {
    expect(await storage.stat(name)).toBeUndefined();
    expect(await codeOf(storage.get(name))).toBe('storage/not-found');
  }
});

test('deleting removes the folders that it empties, and only those', async () => {
  for (const name of ['a/b/c/one', 'a/b/two']) await storage.put(name, text('x'));
  await storage.delete('a/b/c/one');
  expect(await readdir(join(root, 'a/b'))).toEqual(['two']);
  await storage.delete('a/b/two');
  expect((await readdir(root)).sort()).toEqual(['~tmp']);
});

test('a failed put leaves no temporary file', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const put = storage.put('x', [new Uint8Array(64 * 1024 * 1024)], { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await expect(put).rejects.toBe(reason);
  expect(await readdir(join(root, '~tmp'))).toEqual([]);
});

test('temporary files of a crash are invisible and swept when they are old', async () => {
  await storage.put('kept', text('x'));
  const now = 1_700_000_000_000;
  for (const [name, age] of [['old', 7200], ['young', 60]] as const) {
    await writeFile(join(root, '~tmp', name), 'torn');
    await utimes(join(root, '~tmp', name), now / 1000 - age, now / 1000 - age);
  }
  expect(await names()).toEqual(['kept']);
  expect(await storage.sweepTemporary(3_600_000, now)).toBe(1);
  expect(await readdir(join(root, '~tmp'))).toEqual(['young']);
  expect(await storage.sweepTemporary(0, now)).toBe(1);
  expect(await names()).toEqual(['kept']);
  expect(await (await FileStorage.create(join(scratch, 'fresh'))).sweepTemporary(0, now)).toBe(0);
});

test('a root that is gone or exchanged is unavailable, not empty', async () => {
  await storage.put('a', text('x'));
  await rm(root, { recursive: true });
  const calls = [
    () => storage.get('a'),
    () => storage.put('b/c', text('x')),
    () => storage.list(''),
    () => storage.delete('a'),
    () => storage.stat('a'),
  ];
  for (const call of calls) expect(await codeOf(call())).toBe('storage/unavailable');
  await mkdir(root);
  for (const call of calls) expect(await codeOf(call())).toBe('storage/unavailable');
  expect(await readdir(root)).toEqual([]);
});

test('without the right to it a call is denied, with what to do', async ({ skip }) => {
  skip(process.getuid?.() !== 0, 'acting as another user needs root');
  await storage.put('a/b', text('x'));
  await chmod(root, 0o755);
  const module = new URL('fileStorage.ts', import.meta.url).href;
  const script = `
    import { FileStorage } from '${module}';
    process.setgroups([]); process.setegid(65534); process.seteuid(65534);
    const storage = await FileStorage.open('${root}');
    const results = await Promise.allSettled([
      storage.get('a/b'), storage.put('c', []), storage.list('a/'), storage.delete('a/b'), storage.stat('a/b'),
    ]);
    console.log(JSON.stringify(results.map(({ reason }) => [reason?.code, reason?.retryClass])));
    console.log(results[0].reason.message);`;
  await chmod(scratch, 0o755);
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(child.stderr.replaceAll(/.*Warning.*\n/g, '')).toBe('');
  const [codes = '', message = ''] = child.stdout.split('\n');
  expect(JSON.parse(codes)).toEqual(Array(5).fill(['storage/denied', 'input']));
  expect(message).toBe(
    `This user may not read "a/b" in file://${root}. Give it that right, or run as the user who owns the folder.`,
  );
});
