import { createWriteStream, type BigIntStats } from 'node:fs';
import { chmod, lchown, lstat, lutimes, mkdir, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HoldfastError, type BinaryString } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import type { DiskEntry } from '../connectors/contract.ts';

/** What is done where something stands already. Equal files (size, time) are left in every mode. */
export type FolderMode = 'refuse' | 'skip' | 'replace';

/** Owners are given back only by root, as tar and cp do; a new file is ours already. */
const ROOT = process.getuid?.() === 0;

export function bytesOf(path: BinaryString): Buffer {
  return Buffer.from(path, 'latin1');
}

/** What stands under the name itself (links are not followed), undefined when nothing does. */
export async function standing(path: BinaryString): Promise<BigIntStats | undefined> {
  try {
    return await lstat(bytesOf(path), { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Makes the folder with those above it. What stands there and is none, a link to one too, is in the way: writing through
 * a link could end anywhere. With `replace` it is taken away, else `restore/exists`.
 */
export async function makeFolder(path: BinaryString, replace: boolean): Promise<void> {
  const there = await standing(path);
  if (there?.isDirectory()) return;
  if (there && !replace) throw exists(there.isSymbolicLink() ? 'A link stands where this folder belongs; nothing was written through it.' : undefined);
  if (there) await unlink(bytesOf(path));
  await mkdir(bytesOf(path), { recursive: true });
}

/** Makes a symbolic link, or finds it there. */
export async function makeLink(path: BinaryString, target: BinaryString, mode: FolderMode): Promise<'written' | 'replaced' | 'unchanged' | 'skipped'> {
  const there = await standing(path);
  if (there?.isSymbolicLink() && (await readlink(bytesOf(path), 'latin1')) === target) return 'unchanged';
  if (there && mode === 'skip') return 'skipped';
  if (there && (mode === 'refuse' || there.isDirectory())) throw exists();
  if (there) await unlink(bytesOf(path));
  await symlink(bytesOf(target), bytesOf(path));
  return there ? 'replaced' : 'written';
}

/**
 * Writes a file from a stream. One that is replaced stands until the new one is whole; one that could not be finished is
 * taken away again. `restore/exists` where something stands and is not to be replaced.
 */
export async function writeStream(path: BinaryString, content: AsyncIterable<Buffer>, entry: DiskEntry, replace: boolean): Promise<void> {
  const temporary = replace ? `${path.slice(0, path.lastIndexOf('/'))}/.holdfast-${systemRandom(6).toString('hex')}` : path;
  const target = bytesOf(temporary);
  try {
    await pipeline(Readable.from(content), createWriteStream(target, { flags: 'wx', mode: entry.mode ?? 0o666 }));
    await setAttributes(temporary, entry);
    if (replace) await rename(target, bytesOf(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists();
    await unlink(target).catch(ignoreMissing);
    throw error;
  }
}

/** Owner, mode and time of a file or folder that stands. */
export async function setAttributes(path: BinaryString, entry: DiskEntry): Promise<void> {
  if (entry.mode !== undefined) await chmod(bytesOf(path), entry.mode);
  await setOwner(path, entry);
  await setTime(path, entry);
}

/** Owner of what stands under the name itself. */
export async function setOwner(path: BinaryString, { uid, gid, mode, link }: DiskEntry): Promise<void> {
  if (!ROOT || uid === undefined || gid === undefined || (uid === 0 && gid === 0)) return;
  await lchown(bytesOf(path), uid, gid);
  // chown takes setuid and setgid away.
  if (link === undefined && mode !== undefined && (mode & 0o6000) !== 0) await chmod(bytesOf(path), mode);
}

export async function setTime(path: BinaryString, { modifiedNs }: DiskEntry): Promise<void> {
  if (modifiedNs === undefined) return;
  const time = seconds(modifiedNs);
  await lutimes(bytesOf(path), time, time);
}

export function seconds(ns: bigint): number {
  return Number(ns) / 1e9;
}

/** Times are set through floating point seconds: a quarter of a microsecond is lost. */
export function closeTimes(a: bigint, b: bigint): boolean {
  const apart = a - b;
  return apart > -1000n && apart < 1000n;
}

function exists(message = 'Something else stands there already; it was left as it is.'): HoldfastError {
  return new HoldfastError('restore/exists', 'never', message);
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
