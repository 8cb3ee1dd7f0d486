import { createWriteStream, type BigIntStats } from 'node:fs';
import { chmod, lchown, lstat, lutimes, mkdir, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HoldfastError, isHoldfastError, type BinaryString } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import type { DiskEntry } from '../connectors/contract.ts';

/** What is done where something stands already. Equal files (size, time) are left in every mode. */
export type FolderMode = 'refuse' | 'skip' | 'replace';

/** What a folder gets that is made here and has no mode of its own. */
const FOLDER_MODE = 0o777 & ~process.umask();
/** What it has until everything is in it: nobody else may look into folders that were private. */
const PRIVATE = 0o700;

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

/** Makes the folder of a restore, private as those in it, with those above it. False where one stands, or a link to one. */
export async function makeRoot(path: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await mkdir(path, PRIVATE);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Makes a folder that only its owner may look into, until {@link finishFolder}. False where one stands. */
export async function makeNewFolder(path: BinaryString, replace: boolean): Promise<boolean> {
  try {
    await mkdir(bytesOf(path), PRIVATE);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return makeFolder(path, replace);
  }
}

/**
 * As {@link makeNewFolder}, where something may stand. What stands there and is no folder, a link to one too, is in the
 * way: writing through a link could end anywhere. With `replace` it is taken away, else `restore/exists`.
 */
export async function makeFolder(path: BinaryString, replace: boolean): Promise<boolean> {
  const there = await standing(path);
  if (there?.isDirectory()) return false;
  if (there && !replace) throw exists(there.isSymbolicLink() ? 'A link stands where this folder belongs; nothing was written through it.' : undefined);
  if (there) await unlink(bytesOf(path));
  await mkdir(bytesOf(path), PRIVATE);
  return true;
}

/** A folder in which everything stands gets what it had; `made`: it was made by {@link makeFolder}. */
export async function finishFolder(path: BinaryString, entry: DiskEntry, made: boolean): Promise<void> {
  await setAttributes(path, entry.mode === undefined && made ? { ...entry, mode: FOLDER_MODE } : entry);
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
    await pipeline(Readable.from(content), createWriteStream(target, { flags: 'wx', mode: (entry.mode ?? 0o666) & 0o777 }));
    const attributes = await setAttributes(temporary, entry).then(() => undefined, whole);
    if (replace) await rename(target, bytesOf(path));
    if (attributes) throw attributes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists();
    if (isHoldfastError(error) && error.code === 'restore/attributes') throw error;
    await unlink(target).catch(ignoreMissing);
    throw error;
  }
}

/**
 * Owner, mode and time of a file or folder that stands. The owner comes before setuid and setgid, which would else stand for
 * whoever restores; where it cannot be set they are left off, the rest is set, and the error is thrown at the end.
 */
async function setAttributes(path: BinaryString, entry: DiskEntry): Promise<void> {
  const failed = await setOwner(path, entry).then(() => undefined, (error: unknown) => ({ error }));
  if (entry.mode !== undefined) await chmod(bytesOf(path), failed ? entry.mode & 0o1777 : entry.mode);
  await setTime(path, entry);
  if (failed) throw failed.error;
}

/** The owner to be given, where it may be and is not given already. */
export function ownerOf({ uid, gid }: DiskEntry): { readonly uid: number; readonly gid: number } | undefined {
  return !ROOT || uid === undefined || gid === undefined || (uid === 0 && gid === 0) ? undefined : { uid, gid };
}

/** Owner of what stands under the name itself. chown takes setuid and setgid away. */
export async function setOwner(path: BinaryString, entry: DiskEntry): Promise<void> {
  const owner = ownerOf(entry);
  if (owner) await lchown(bytesOf(path), owner.uid, owner.gid);
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

/** A file that is whole stays, whatever else it lacks. */
function whole(error: unknown): HoldfastError {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) throw error;
  return new HoldfastError('restore/attributes', 'never', `It was written, but its owner, mode or time could not be set (${code}).`, { cause: error });
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
