/** FileStorage on disks of its own: full, read-only, taken away. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileStorage } from './fileStorage.ts';

const scratch = await mkdtemp(join(tmpdir(), 'holdfast-disk-'));
const disk = join(scratch, 'disk');
await mkdir(disk);

function run(command: string, ...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}
const mount = (): string | undefined => run('mount', '-t', 'tmpfs', '-o', 'size=2m', 'holdfast-test', disk);

/** Mounting needs root, and a container may forbid it all the same. */
const impossible = mount();
if (impossible === undefined) run('umount', disk);
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('on a disk of 2 MB', () => {
  let storage: FileStorage;
  const bytes = (value: number): Uint8Array[] => [new Uint8Array(300_000).fill(value)];

  beforeEach(async ({ skip }) => {
    skip(impossible !== undefined, `mounting a disk needs root: ${impossible}`);
    const failure = mount();
    if (failure !== undefined) throw new Error(failure);
    storage = await FileStorage.open(disk);
  });
  afterEach(() => {
    run('umount', disk);
  });

  test('a full disk is told as such, loses nothing, and works again when there is room', async () => {
    const stored: string[] = [];
    let failure: unknown;
    for (let i = 0; i < 20 && failure === undefined; i++) {
      await storage.put(`packs/${i}`, bytes(i)).then(() => stored.push(`packs/${i}`), (error: unknown) => {
        failure = error;
      });
    }
    expect(failure).toMatchObject({ code: 'storage/full', retryClass: 'input' });
    expect(stored.length).toBeGreaterThan(3);
    expect((await storage.list('')).objects.map(({ name }) => name)).toEqual(stored);
    for (const [i, name] of stored.entries()) expect(await storage.get(name)).toEqual(bytes(i)[0]);
    expect(await readdir(join(disk, '~tmp'))).toEqual([]);

    await storage.delete('packs/0');
    await storage.put('packs/again', bytes(7));
    expect(await storage.get('packs/again')).toEqual(bytes(7)[0]);
  });

  test('a read-only disk is told as such, and can be read', async () => {
    await storage.put('packs/1', bytes(1));
    expect(run('mount', '-o', 'remount,ro', disk)).toBeUndefined();
    const reader = await FileStorage.open(disk);
    const readOnly = { code: 'storage/read-only', retryClass: 'input' };
    await expect(reader.put('packs/2', bytes(2))).rejects.toMatchObject(readOnly);
    await expect(reader.put('packs/1', bytes(2))).rejects.toMatchObject(readOnly);
    await expect(reader.delete('packs/1')).rejects.toMatchObject(readOnly);
    expect(await reader.get('packs/1')).toEqual(bytes(1)[0]);
    expect((await reader.list('')).objects).toEqual([{ name: 'packs/1', size: 300_000 }]);
    await expect(FileStorage.create(join(disk, 'new'))).rejects.toMatchObject(readOnly);
  });

  test('a disk that is unmounted does not look empty, and gets nothing written below its mount point', async () => {
    await storage.put('packs/1', bytes(1));
    expect(run('umount', disk)).toBeUndefined();
    const gone = { code: 'storage/unavailable', retryClass: 'retry' };
    await expect(storage.list('')).rejects.toMatchObject(gone);
    await expect(storage.get('packs/1')).rejects.toMatchObject(gone);
    await expect(storage.stat('packs/1')).rejects.toMatchObject(gone);
    await expect(storage.put('packs/2', bytes(2))).rejects.toMatchObject(gone);
    await expect(storage.delete('packs/1')).rejects.toMatchObject(gone);
    expect(await readdir(disk)).toEqual([]);
  });
});
