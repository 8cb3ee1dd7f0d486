/** Tools for storages that break one guarantee each, for the test of the conformance suite. */
import { HoldfastError } from '../domain/index.ts';
import type { Storage } from './contract.ts';
import { MemoryStorage } from './memoryStorage.ts';

/** `reopened` is what another process sees; the storage itself where there is none. */
export type BrokenStorage = Storage & { readonly reopened?: Storage };

/** A memory storage in which some calls are replaced. */
export function broken(replace: (sound: MemoryStorage) => Partial<BrokenStorage>): () => BrokenStorage {
  return () => {
    const sound = new MemoryStorage();
    const calls: Storage = {
      location: sound.location,
      get: (name, options) => sound.get(name, options),
      put: (name, parts, options) => sound.put(name, parts, options),
      list: (prefix, options) => sound.list(prefix, options),
      delete: (name, options) => sound.delete(name, options),
      stat: (name, options) => sound.stat(name, options),
    };
    return { ...calls, ...replace(sound) };
  };
}

/** By the name of the check that must notice: ways to break what it checks. */
export type BrokenStorages = Readonly<Record<string, Readonly<Record<string, () => BrokenStorage>>>>;

/** What `work` gives; where it fails with that code, what `instead` gives. */
export async function unless<T>(code: string, work: Promise<T>, instead: () => T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === code) return instead();
    throw error;
  }
}
