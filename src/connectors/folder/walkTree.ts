import type { BigIntStats } from 'node:fs';
import { constants, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { BinaryString } from '../../domain/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import type { Clock } from '../../runtime/index.ts';
import type { SourceChange, SourceContent } from '../contract.ts';
import { decodeName, fsPath } from './bytePath.ts';
import { changeKey, youngFrom } from './changeKey.ts';
import { entryAttributes } from './entryAttributes.ts';
import { specialFile, systemCode, unreadable } from './entryError.ts';
import { FolderItem } from './folderItem.ts';

/**
 * The key of the root's own row, which carries the root's mode, owner and times. No name holds a NUL or is empty, so
 * the key is nobody else's and comes before all others. Its name is '.' and its parent '': joined to a destination's
 * path it is the destination itself, so that a restore treats it like any folder.
 */
export const ROOT_KEY: BinaryString = '\0';

/** So few that what was listed dies young, see {@link entryAttributes}: 48 gave the fewest instructions of 32 to 1,024. */
const BATCH = 48;
const NO_CONTENT: SourceContent = { from: 'none' };
const LSTAT = { bigint: true, throwIfNoEntry: false } as const;

/** A directory that is being listed. */
interface Level {
  readonly key: BinaryString;
  /** What its children's keys and paths start with. */
  readonly keyPrefix: BinaryString;
  readonly pathPrefix: BinaryString;
  /** Ascending. */
  readonly names: readonly BinaryString[];
  next: number;
  /** From which ctime on a file here is too young, see {@link changeKey}. */
  readonly young: bigint;
  /** Asked for once, only where a child's attributes cannot be read. */
  folders: ReadonlySet<BinaryString> | undefined;
}

/**
 * Lists the tree under `root` (bytes of an absolute path) as one `listing` of everything, in batches.
 *
 * A key is the names on the way from the root joined by NUL. Depth first with sorted names gives ascending keys:
 * two keys differ first inside a name (then the sorted order of siblings decides) or where one name ends and the other
 * goes on; what stands there on the shorter side is the key's end or NUL, and both sort before any byte of a name. So
 * everything below 'a' comes after 'a' and before 'a!' and 'ab'.
 *
 * System calls are synchronous because that costs a third of the CPU time of the asynchronous ones; the event loop runs
 * between batches. Held in memory: the names of the directories from the root to the current one.
 * @throws HoldfastError `folder/unreadable` (class retry) when the root itself cannot be listed.
 */
export async function* walkTree(
  root: BinaryString,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<readonly SourceChange[]> {
  signal.throwIfAborted();
  let batch: SourceChange[] = [{ type: 'listing', prefix: '' }];
  const levels: Level[] = [openRoot(root, clock, batch)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.names[level.next++];
    if (name === undefined) {
      levels.pop();
      continue;
    }
    const child = visit(level, name, clock, batch);
    if (child !== undefined) levels.push(child);
    if (batch.length >= BATCH) {
      yield batch;
      batch = [];
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  batch.push({ type: 'listed', prefix: '' });
  yield batch;
}

function openRoot(root: BinaryString, clock: Clock, batch: SourceChange[]): Level {
  const young = youngFrom(clock.now());
  try {
    const stats = statSync(fsPath(root), { bigint: true });
    const names = sortedNames(root);
    const item = new FolderItem(
      { key: ROOT_KEY, parent: '', fileName: '.' },
      'folder',
      changeKey(stats, young),
      entryAttributes(stats),
    );
    batch.push({ type: 'item', item, content: NO_CONTENT });
    const pathPrefix = root.endsWith('/') ? root : `${root}/`;
    return { key: '', keyPrefix: '', pathPrefix, names, next: 0, young, folders: undefined };
  } catch (cause) {
    const code = systemCode(cause);
    const path = decodeName(root);
    const message = `The folder ${path} cannot be listed (${code}); check its disk and its rights, then run again.`;
    throw new HoldfastError('folder/unreadable', 'retry', message, { data: { path, code }, cause });
  }
}

/** Adds what is to be told of one entry; a directory that can be listed is returned as the next level. */
function visit(level: Level, name: BinaryString, clock: Clock, batch: SourceChange[]): Level | undefined {
  const place = { key: level.keyPrefix + name, parent: level.key, fileName: name };
  const path = level.pathPrefix + name;
  let stats: BigIntStats | undefined;
  try {
    stats = lstatSync(fsPath(path), LSTAT);
  } catch (error) {
    const folder = isFolder(level, name);
    const item = new FolderItem(place, folder ? 'folder' : 'file', '', undefined);
    batch.push({ type: 'exception', item, outcome: unreadable(path, systemCode(error)) });
    if (folder) batch.push({ type: 'unknown', prefix: `${place.key}\0` });
    return undefined;
  }
  // Gone since its directory was read.
  if (stats === undefined) return undefined;
  // The class's own isFile() and so on calculate in BigInt, which costs more than all else here.
  const type = Number(stats.mode) & constants.S_IFMT;
  if (type === constants.S_IFREG) {
    const item = new FolderItem(place, 'file', changeKey(stats, level.young), entryAttributes(stats));
    batch.push({ type: 'item', item, content: { from: 'file', path } });
    return undefined;
  }
  if (type === constants.S_IFDIR) return visitFolder(place, path, stats, clock, batch);
  if (type === constants.S_IFLNK) visitLink(place, path, stats, level.young, batch);
  else {
    const item = new FolderItem(place, 'special', changeKey(stats, level.young), entryAttributes(stats));
    batch.push({ type: 'exception', item, outcome: specialFile(path) });
  }
  return undefined;
}

type Place = { readonly key: BinaryString; readonly parent: BinaryString; readonly fileName: BinaryString };

function visitFolder(
  place: Place,
  path: BinaryString,
  stats: BigIntStats,
  clock: Clock,
  batch: SourceChange[],
): Level | undefined {
  const young = youngFrom(clock.now());
  const keyPrefix = `${place.key}\0`;
  let names: readonly BinaryString[];
  try {
    names = sortedNames(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    // No change key: the next run must not take the folder for known.
    const item = new FolderItem(place, 'folder', '', entryAttributes(stats));
    batch.push({ type: 'exception', item, outcome: unreadable(path, code) });
    batch.push({ type: 'unknown', prefix: keyPrefix });
    return undefined;
  }
  const item = new FolderItem(place, 'folder', changeKey(stats, young), entryAttributes(stats));
  batch.push({ type: 'item', item, content: NO_CONTENT });
  return { key: place.key, keyPrefix, pathPrefix: `${path}/`, names, next: 0, young, folders: undefined };
}

function visitLink(
  place: Place,
  path: BinaryString,
  stats: BigIntStats,
  young: bigint,
  batch: SourceChange[],
): void {
  try {
    const target = readlinkSync(fsPath(path), { encoding: 'latin1' });
    const item = new FolderItem(place, 'link', changeKey(stats, young), entryAttributes(stats), target);
    batch.push({ type: 'item', item, content: NO_CONTENT });
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return;
    batch.push({ type: 'exception', item: new FolderItem(place, 'link', '', entryAttributes(stats)), outcome: unreadable(path, code) });
  }
}

/** Latin1 keeps every name's bytes, and the default order of such strings is the order of the bytes. */
function sortedNames(directory: BinaryString): BinaryString[] {
  return readdirSync(fsPath(directory), { encoding: 'latin1' }).sort();
}

/** Whether a child is a directory, by its parent's listing alone: one that may be listed need not be one to enter. */
function isFolder(level: Level, name: BinaryString): boolean {
  if (level.folders === undefined) {
    try {
      const entries = readdirSync(fsPath(level.pathPrefix), { encoding: 'latin1', withFileTypes: true });
      level.folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
    } catch (error) {
      systemCode(error);
      level.folders = new Set();
    }
  }
  return level.folders.has(name);
}
