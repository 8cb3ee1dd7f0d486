import { isHoldfastError } from '../domain/index.ts';
import { timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import { listAll, type LockMode, type Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { isCount, isText, objectOf, shaped, type Shape } from './recordShape.ts';
import { openJson, sealJson } from './sealedObject.ts';

const DAY = 86_400_000;
/** How the snapshots of a repository are locked against deletion. */
export interface LockSetting {
  readonly mode: LockMode;
  /** For so long after its run everything that a snapshot needs is locked. */
  readonly days: number;
}

const isMode: Shape = (mode) => mode === 'compliance' || mode === 'governance';
/** A hundred years: what is longer no command takes. */
const MOST_DAYS = 36_525;
const isSetting = objectOf({ mode: isMode, days: (days) => isCount(days) && (days as number) > 0 && (days as number) <= MOST_DAYS, madeAt: isText });

/** The newest record counts; undefined where there is none. Throws `repository/damaged`. */
export async function readLockSetting(storage: Storage, keyring: Keyring, signal?: AbortSignal): Promise<LockSetting | undefined> {
  const options = signal ? { signal } : {};
  let newest: string | undefined;
  for await (const { name } of listAll(storage, names.lock(''), options)) newest = name;
  if (newest === undefined) return undefined;
  try {
    const { mode, days } = shaped<LockSetting>(newest, openJson(newest, await storage.get(newest, options), keyring.metaOf), isSetting);
    return { mode, days };
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/not-found') return undefined;
    throw error;
  }
}

export async function writeLockSetting(
  storage: Storage, setting: LockSetting, { keyring, clock, random }: { keyring: Keyring; clock: Clock; random: RandomBytes }, signal?: AbortSignal,
): Promise<void> {
  const now = clock.now();
  const name = names.lock(timeOrderedId(now, random));
  const record = { mode: setting.mode, days: setting.days, madeAt: new Date(now).toISOString() };
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
