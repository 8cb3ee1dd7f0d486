import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDamage } from './failures.ts';
import { lockFile } from './fileLock.ts';
import type { CachePlace } from './protocol.ts';
import { createTables, openReader } from './schema.ts';
import type { Database } from './schema.ts';

/**
 * Files are `<SHA-256 of the entity>.<generation>.<fresh id>.sqlite`. A path is never used twice: a process that still
 * has a deleted file open would remove the journal of the new one when it closes (see "Unlinking or renaming a database
 * file while in use", sqlite.org/howtocorrupt.html).
 */
const CACHE_FILE = /^([0-9a-f]{64})\.([\w-]{1,64})\.([0-9a-f]+)\.sqlite$/;
const LOCK_FILE = 'lock';
const LOCK_WAIT_MS = 15_000;

export interface OpenCache {
  readonly path: string;
  readonly reader: Database;
}

interface CacheFile {
  readonly path: string;
  readonly entityHash: string;
  readonly generation: string;
}

/**
 * Opens the entity's cache or makes an empty one. Files of another generation are deleted unread, damaged ones when
 * that is found out.
 */
export function openCache(place: CachePlace, freshId: () => string): OpenCache {
  mkdirSync(place.directory, { recursive: true, mode: 0o700 });
  if ((statSync(place.directory).mode & 0o077) !== 0) chmodSync(place.directory, 0o700);
  return exclusively(place.directory, () => {
    let open: OpenCache | undefined;
    for (const file of listFiles(place.directory)) {
      if (file.entityHash !== place.entityHash) continue;
      if (!open && file.generation === place.generation) open = tryOpen(file.path);
      if (open?.path !== file.path) removeCacheFile(file.path);
    }
    open ??= create(place, freshId);
    const seconds = place.usedAtMs / 1000;
    utimesSync(open.path, seconds, seconds);
    return open;
  });
}

/** With its journals. */
export function removeCacheFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Deletes the least recently opened caches that nobody has open, until the rest fits. Gives the bytes deleted. */
export function trim(directory: string, maxBytes: number): number {
  if (!existsSync(directory)) return 0;
  return exclusively(directory, () => {
    const files = listFiles(directory).map(({ path }) => {
      return { path, bytes: bytesOf(path), usedAt: statSync(path).mtimeMs };
    });
    files.sort((a, b) => a.usedAt - b.usedAt);
    const total = files.reduce((sum, file) => sum + file.bytes, 0);
    let freed = 0;
    for (const { path, bytes } of files) {
      if (total - freed <= maxBytes) break;
      if (removeUnused(path)) freed += bytes;
    }
    return freed;
  });
}

/** Deletes all caches of an entity, unread, whoever has them open. */
export function removeCaches(directory: string, entityHash: string): void {
  if (!existsSync(directory)) return;
  exclusively(directory, () => {
    for (const file of listFiles(directory)) if (file.entityHash === entityHash) removeCacheFile(file.path);
  });
}

function tryOpen(path: string): OpenCache | undefined {
  try {
    return { path, reader: openReader(path) };
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function create(place: CachePlace, freshId: () => string): OpenCache {
  const path = join(place.directory, `${place.entityHash}.${place.generation}.${freshId()}.sqlite`);
  closeSync(openSync(path, 'wx', 0o600));
  createTables(path);
  return { path, reader: openReader(path) };
}

/** Every connection in WAL mode keeps a shared lock on its file, so this one gets it whole only where none is open. */
function removeUnused(path: string): boolean {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('pragma locking_mode = exclusive; begin immediate');
    removeCacheFile(path);
    return true;
  } catch (error) {
    if (!isDamage(error)) return false;
    removeCacheFile(path);
    return true;
  } finally {
    db.close();
  }
}

/** Files come, go and are opened only under this lock. */
function exclusively<T>(directory: string, action: () => T): T {
  const lock = lockFile(join(directory, LOCK_FILE), LOCK_WAIT_MS);
  try {
    return action();
  } finally {
    lock.close();
  }
}

function listFiles(directory: string): CacheFile[] {
  const files: CacheFile[] = [];
  for (const name of readdirSync(directory).sort()) {
    const [, entityHash, generation] = CACHE_FILE.exec(name) ?? [];
    if (entityHash && generation) files.push({ path: join(directory, name), entityHash, generation });
  }
  return files;
}

function bytesOf(path: string): number {
  let bytes = 0;
  for (const suffix of ['', '-wal', '-shm']) bytes += statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}
