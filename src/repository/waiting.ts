import { DoomedList, doomedBytes, doomedRecords, type DoomedRecord, type WaitNote } from './doomed.ts';
import { inLanes } from './inLanes.ts';
import { numberOf } from './journal.ts';
import { keepsLocked } from './lockEnds.ts';
import { LockedTally } from './lockedTally.ts';
import { objectLockEnd } from './lockSetting.ts';
import { names } from './names.ts';
import { lockingOf } from './openLocked.ts';
import { lockSettingAt } from './readLockSetting.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { namesUnder } from './roots.ts';

/** Locks asked for at once. */
const LANES = 8;
/** As everything is deleted: what refers goes before what it refers to. */
const ORDER = ['snapshots/', 'seals/', 'index/', 'segments/', 'packs/'];

/** What a pass over the records of waiting objects did. */
export interface WaitingPass {
  /** Full names, with bytes, of what was deleted, since its locks had ended. */
  readonly deleted: ReadonlyMap<string, number>;
  /** Full names of what stays, with the ends of the locks in milliseconds since 1970. */
  readonly left: ReadonlyMap<string, number>;
  /** By when the last of it can go, as its records say; ISO 8601, null where nothing is left. */
  readonly until: string | null;
}

/**
 * Deletes what only waited for the end of its locks, and takes it out of its records. No other look is needed: whoever has come to rely on
 * anything since those records stand has seen them. A place that locks nothing is not asked.
 * @param items only what this erasure left, else all.
 */
export async function deleteWaiting(context: RepositoryContext, items: string | undefined, signal?: AbortSignal): Promise<WaitingPass> {
  const deleted = new Map<string, number>();
  const left = new Map<string, number>();
  let until: string | null = null;
  if (!keepsLocked(context.storage)) return { deleted, left, until };
  const { records } = await DoomedList.load(context.storage, context.keyring, signal);
  for (const [name, record] of records) {
    if (!record.waits || (items !== undefined && record.waits.items !== items)) continue;
    const held = await deleteUnlocked(context, record.objects, deleted, signal);
    for (const [object, end] of held) left.set(object, end);
    if (held.size > 0 && (until === null || record.waits.until > until)) until = record.waits.until;
    await shorten(context, name, record, held, signal);
  }
  return { deleted, left, until };
}

/** @returns what is locked, with the ends of the locks. */
async function deleteUnlocked(
  context: RepositoryContext, objects: readonly string[], deleted: Map<string, number>, signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const locked = new LockedTally(context);
  const { refused } = locked;
  for (const prefix of ORDER) {
    await inLanes(objects.filter((name) => name.startsWith(prefix)), LANES, async (name) => {
      // A seal goes after its manifest, or the snapshot would look like one that was never finished.
      const manifestEnd = prefix === 'seals/' ? refused.get(name.replace('seals/', 'snapshots/')) : undefined;
      if (manifestEnd !== undefined) refused.set(name, manifestEnd);
      const object = manifestEnd === undefined ? await context.storage.stat(name, signal ? { signal } : {}) : undefined;
      if (!object) return;
      await locked.deleteUnlessLocked(name, signal);
      if (!refused.has(name)) deleted.set(name, object.size);
    });
  }
  return refused;
}

/** Whoever takes away what a record names makes it shorter; the record goes last. */
async function shorten(context: RepositoryContext, name: string, record: DoomedRecord, left: ReadonlyMap<string, number>, signal?: AbortSignal): Promise<void> {
  const { storage, keyring, random } = context;
  const options = signal ? { signal } : {};
  const objects = record.objects.filter((object) => left.has(object));
  if (objects.length === 0) await storage.delete(name, options);
  else if (objects.length < record.objects.length) await storage.put(name, doomedBytes(name, { ...record, objects }, keyring, random), options);
}

/**
 * Says of what was announced and cannot be deleted yet that it waits for nothing else than the end of its locks: all that must be looked at was.
 * @param own the records that announced it, which it takes the place of.
 */
export async function noteWaiting(
  context: RepositoryContext, own: readonly string[], pruner: string, objects: readonly string[], waits: WaitNote, signal?: AbortSignal,
): Promise<void> {
  const { storage, keyring, random } = context;
  const options = signal ? { signal } : {};
  const known = own.length > 0 ? Math.min(...own.map(numberOf)) : 1 + Math.max(0, ...[...(await namesUnder(context, 'doomed/', signal))].map(numberOf));
  const records = doomedRecords(known, pruner, objects);
  for (const [name, record] of records) await storage.put(name, doomedBytes(name, { ...record, waits }, keyring, random), options);
  for (const name of own) if (!records.has(name)) await storage.delete(name, options);
}

/**
 * By when the locks of waiting objects have ended, whatever runs go on: those that were found (`ends`), and those that a run may yet set which has not seen
 * the announcement. A run takes its time before it looks for announcements, and makes no lock longer of what it finds there.
 */
export async function lastEnd(context: RepositoryContext, ends: Iterable<number>, signal?: AbortSignal): Promise<string> {
  const now = context.clock.now();
  let last = Math.max(now, ...ends);
  // A run that was begun before the setting was changed locks by the older one.
  for (const name of lockingOf(context) ? await namesUnder(context, names.lock(''), signal) : []) {
    const setting = await lockSettingAt(context.storage, context.keyring, name, signal);
    if (setting) last = Math.max(last, objectLockEnd(setting, now));
  }
  return new Date(last).toISOString();
}
