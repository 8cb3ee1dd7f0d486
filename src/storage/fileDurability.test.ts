/** What FileStorage asks of the operating system, in which order, and what it makes of its failures. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type * as FsPromises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { FileStorage } from './fileStorage.ts';

/** Shared with the wrapped module: what was done, what shall fail, how much a writev takes. */
const system = vi.hoisted(() => ({
  log: [] as string[],
  fail: undefined as { call: string; errno: string } | undefined,
  writevLimit: Infinity,
  onCall: undefined as (() => void) | undefined,
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FsPromises>();
  const note = (call: string, path: string): void => {
    const shown = path.replace(/^.*\/root/, '').replace(/~tmp\/.*/, '~tmp/*') || '/';
    system.log.push(`${call} ${shown}`);
    system.onCall?.();
    if (system.fail?.call !== call) return;
    const { errno } = system.fail;
    throw Object.assign(new Error(`${errno}: injected, ${call}`), { code: errno, syscall: call, errno: -1 });
  };
  const open: typeof real.open = async (path, flags, mode) => {
    const file = await real.open(path, flags, mode);
    const { sync, writev } = file;
    file.sync = async () => {
      note('sync', String(path));
      await sync.call(file);
    };
    file.writev = (async (buffers: readonly Uint8Array[]) => {
      note('writev', String(path));
      if (system.writevLimit === Infinity) return writev.call(file, buffers);
      const short = Buffer.concat(buffers).subarray(0, system.writevLimit);
      return writev.call(file, [short]);
    }) as typeof file.writev;
    return file;
  };
  const rename: typeof real.rename = async (from, to) => {
    await real.rename(from, to);
    note('rename', String(to));
  };
  const unlink: typeof real.unlink = async (path) => {
    await real.unlink(path);
    note('unlink', String(path));
  };
  const rmdir: typeof real.rmdir = async (path) => {
    await real.rmdir(path);
    note('rmdir', String(path));
  };
  return { ...real, open, rename, unlink, rmdir };
});

const scratch = await mkdtemp(join(tmpdir(), 'holdfast-durable-'));
let count = 0;
let root: string;
let storage: FileStorage;

beforeEach(async () => {
  system.fail = undefined;
  system.writevLimit = Infinity;
  system.onCall = undefined;
  root = join(scratch, `${count++}/root`);
  storage = await FileStorage.create(root);
  system.log.length = 0;
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** The calls since the last time that change something durable. */
function done(): string[] {
  return system.log.splice(0).filter((line) => !line.startsWith('writev'));
}

test('a put syncs the file, renames it, and syncs each folder whose entry is not known to be durable', async () => {
  await storage.put('a/b/one', [Buffer.from('x')]);
  expect(done()).toEqual(['sync /~tmp/*', 'rename /a/b/one', 'sync /a/b', 'sync /a', 'sync /']);
  await storage.put('a/b/two', [Buffer.from('x')]);
  expect(done()).toEqual(['sync /~tmp/*', 'rename /a/b/two', 'sync /a/b']);
  await storage.put('a/c/one', [Buffer.from('x')]);
  expect(done()).toEqual(['sync /~tmp/*', 'rename /a/c/one', 'sync /a/c', 'sync /a']);
  await storage.put('top', [Buffer.from('x')]);
  expect(done()).toEqual(['sync /~tmp/*', 'rename /top', 'sync /']);
});

test('a folder that another process removed and made again is synced again', async () => {
  const other = await FileStorage.open(root);
  await storage.put('a/one', [Buffer.from('x')]);
  await other.delete('a/one');
  await other.put('a/two', [Buffer.from('x')]);
  done();
  await storage.put('a/one', [Buffer.from('x')]);
  expect(done()).toEqual(['sync /~tmp/*', 'rename /a/one', 'sync /a', 'sync /']);
});

test('a delete syncs the lowest folder that is left', async () => {
  await storage.put('a/b/one', [Buffer.from('x')]);
  await storage.put('a/two', [Buffer.from('x')]);
  done();
  await storage.delete('a/b/one');
  expect(done()).toEqual(['unlink /a/b/one', 'rmdir /a/b', 'sync /a']);
});

test('create syncs the folders above those that it makes', async () => {
  await FileStorage.create(join(root, 'x/y/z'));
  expect(done()).toEqual(['sync /', 'sync /x', 'sync /x/y']);
});

test('short writes are carried on', async () => {
  const parts = [7, 0, 1, 90, 3, 0].map((length, i) => new Uint8Array(length).fill(i + 1));
  for (const limit of [1, 2, 5, 7, 8, 50, 100]) {
    system.writevLimit = limit;
    await storage.put(`limit-${limit}`, parts);
    expect(await storage.get(`limit-${limit}`)).toEqual(new Uint8Array(Buffer.concat(parts)));
  }
});

test.each([
  ['ENOSPC', 'writev', 'storage/full', 'input'],
  ['EDQUOT', 'sync', 'storage/full', 'input'],
  ['EIO', 'sync', 'storage/unavailable', 'retry'],
  ['ESTALE', 'writev', 'storage/unavailable', 'retry'],
  ['EMFILE', 'writev', 'storage/unavailable', 'retry'],
  ['EPERM', 'writev', 'storage/denied', 'input'],
  ['EROFS', 'writev', 'storage/read-only', 'input'],
])('%s at %s of a put is %s (class %s), and leaves nothing', async (errno, call, code, retryClass) => {
  await storage.put('old', [Buffer.from('x')]);
  system.fail = { call, errno };
  await expect(storage.put('new', [Buffer.from('x')])).rejects.toMatchObject({ code, retryClass });
  system.fail = undefined;
  expect((await storage.list('')).objects).toEqual([{ name: 'old', size: 1 }]);
  expect(await readdir(join(root, '~tmp'))).toEqual([]);
});

test('a file system without sync of folders is accepted, one that fails at it is not', async () => {
  system.fail = { call: 'sync', errno: 'EINVAL' };
  await expect(FileStorage.create(join(root, 'x/y'))).resolves.toBeDefined();
  system.fail = { call: 'sync', errno: 'EIO' };
  await expect(FileStorage.create(join(root, 'z/y'))).rejects.toMatchObject({ code: 'storage/unavailable' });
});

test('an abort is noticed between two writes', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  system.writevLimit = 10;
  system.onCall = () => {
    if (system.log.length === 3) controller.abort(reason);
  };
  await expect(storage.put('x', [new Uint8Array(1000)], { signal: controller.signal })).rejects.toBe(reason);
  expect(system.log).toEqual(Array(3).fill('writev /~tmp/*'));
  expect(await storage.stat('x')).toBeUndefined();
});
