import { isHoldfastError } from '../domain/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { openLockSetting, type StoredLockSetting } from './lockSetting.ts';
import { names } from './names.ts';
import { firstReading } from './readings.ts';
import { isUnreadable } from './sealedObject.ts';

/** What a place says of how it is locked. */
export interface FoundLockSetting {
  /** The newest that can be read. */
  readonly setting: StoredLockSetting | undefined;
  /** Full names of newer ones, which cannot. */
  readonly unreadable: readonly string[];
}

export async function readLockSetting(storage: Storage, keyring: Keyring, signal?: AbortSignal): Promise<FoundLockSetting> {
  const all: string[] = [];
  for await (const { name } of listAll(storage, names.lock(''), signal ? { signal } : {})) all.push(name);
  const unreadable: string[] = [];
  for (const name of all.toReversed()) {
    const setting = await lockSettingAt(storage, keyring, name, signal);
    if (setting) return { setting, unreadable };
    unreadable.push(name);
  }
  return { setting: undefined, unreadable };
}

/** undefined where the record is gone, or no version of it can be read. */
export async function lockSettingAt(storage: Storage, keyring: Keyring, name: string, signal?: AbortSignal): Promise<StoredLockSetting | undefined> {
  try {
    return await firstReading(storage, name, { read: (bytes) => openLockSetting(name, bytes, keyring), passOver: isUnreadable, signal });
  } catch (error) {
    if (isUnreadable(error) || (isHoldfastError(error) && error.code === 'storage/not-found')) return undefined;
    throw error;
  }
}
