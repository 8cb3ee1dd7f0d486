import { timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import type { LockMode, Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { lastSegment, names } from './names.ts';
import { isCount, isText, objectOf, shaped, type Shape } from './recordShape.ts';
import { openJson, sealJson } from './sealedObject.ts';

const DAY = 86_400_000;
/** How the snapshots of a repository are locked against deletion. */
export interface LockSetting {
  readonly mode: LockMode;
  /** For so long after its run everything that a snapshot needs is locked. */
  readonly days: number;
}

/** With the id of its record, which no other place has. */
export interface StoredLockSetting extends LockSetting {
  readonly id: string;
}

const isMode: Shape = (mode) => mode === 'compliance' || mode === 'governance';
/** A hundred years: what is longer no command takes. */
const MOST_DAYS = 36_525;
const isSetting = objectOf({ mode: isMode, days: (days) => isCount(days) && (days as number) > 0 && (days as number) <= MOST_DAYS, madeAt: isText });

/** Throws `repository/damaged`. */
export function openLockSetting(name: string, bytes: Uint8Array, keyring: Keyring): StoredLockSetting {
  const { mode, days } = shaped<LockSetting>(name, openJson(name, bytes, keyring.metaOf), isSetting);
  return { mode, days, id: lastSegment(name) };
}

export function newLockSetting({ mode, days }: LockSetting, { clock, random }: { clock: Clock; random: RandomBytes }): StoredLockSetting {
  return { mode, days, id: timeOrderedId(clock.now(), random) };
}

export async function writeLockSetting(
  storage: Storage, { mode, days, id }: StoredLockSetting, { keyring, clock, random }: { keyring: Keyring; clock: Clock; random: RandomBytes }, signal?: AbortSignal,
): Promise<void> {
  const name = names.lock(id);
  const record = { mode, days, madeAt: new Date(clock.now()).toISOString() };
  await storage.put(name, sealJson(name, record, keyring.meta, random), signal ? { signal } : {});
}

/** Until when a snapshot that is sealed now is locked. */
export function snapshotLockEnd({ days }: LockSetting, now: number): number {
  return now + days * DAY;
}

/** What a snapshot needs is locked a quarter longer, so that most runs find it locked for long enough. */
export function objectLockEnd({ days }: LockSetting, now: number): number {
  return now + Math.ceil(days * 1.25) * DAY;
}

/** A run that extends locks at all extends those that end before this: the next runs then have none to extend. */
export function renewalEnd(setting: LockSetting, now: number): number {
  return (snapshotLockEnd(setting, now) + objectLockEnd(setting, now)) / 2;
}
