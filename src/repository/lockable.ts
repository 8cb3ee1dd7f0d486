import { CONFIG, isPrepared } from './names.ts';

/** Folders of what a restore needs, and of what says what was removed or decided. The rest are notes of running programs, which must be removable. */
const LOCKED = ['keys/', 'epochs/', 'locks/', 'entities/', 'packs/', 'index/', 'segments/', 'snapshots/', 'seals/', 'removals/', 'settings/'];

/** Whether an object of this name (or all below this prefix) is locked where a repository is. */
export function isLockable(name: string): boolean {
  return (name === CONFIG || LOCKED.some((folder) => name.startsWith(folder))) && !isPrepared(name);
}

/** Whether a name may be put again with other bytes, by who adds a slot: which of its versions count, only the keys tell. */
export function isReplaceable(name: string): boolean {
  return name.startsWith('keys/');
}
