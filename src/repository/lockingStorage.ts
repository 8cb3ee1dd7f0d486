import { isHoldfastError } from '../domain/index.ts';
import type { Clock } from '../runtime/index.ts';
import {
  InterceptedStorage, objectLocked, objectNotFound, type ListPage, type Lock, type LockMode, type ObjectInfo, type ObjectLocks, type PutOptions, type Range, type Storage, type VersionedObject,
} from '../storage/index.ts';
import { inLanes } from './inLanes.ts';
import { isLockable } from './lockable.ts';
import { lastLockEnd, lockedVersion, versionsOf, type OwnVersion } from './lockedVersions.ts';
import { lockLost } from './lockLost.ts';
import { objectLockEnd, type LockSetting, type StoredLockSetting } from './lockSetting.ts';

const LANES = 8;
/** Locks that were set in this process and need not be asked for. */
const MOST_KNOWN = 200_000;

/** What is known of how a place is locked. */
export interface LockKnowledge {
  readonly setting?: StoredLockSetting | undefined;
  /** It was locked once, and nothing that can be read says how: what is put must be locked, and cannot be. */
  readonly lost?: boolean;
  /** Full names of records of settings that cannot be read, and are newer than the one that counts. */
  readonly unreadable?: readonly string[];
  /** What is put is locked for so long at least, and as firmly: it takes the place of what was. */
  readonly atLeast?: Lock | undefined;
}

/**
 * The storage of a repository whose objects are locked. It locks what it puts, never deletes what is locked, and gives what is locked
 * also where somebody has put the mark of a deletion over it: since nobody here does that, the mark is not one of ours.
 */
export class LockingStorage extends InterceptedStorage {
  readonly setting: StoredLockSetting | undefined;
  readonly lost: boolean;
  readonly unreadable: readonly string[];
  readonly versions: ObjectLocks;
  /** Locks by name, of what was put here and nobody has remembered yet. */
  readonly known = new Map<string, Lock>();
  /** By id of a setting: whether its record stands here. */
  readonly settings = new Map<string, boolean>();
  readonly #atLeast: Lock | undefined;
  readonly #clock: Clock;
  /** Versions under a mark whose lock has ended: they stay so, and every listing meets them. */
  readonly #ended = new Set<string>();

  constructor(inner: Storage, locks: ObjectLocks, clock: Clock, { setting, lost = false, unreadable = [], atLeast }: LockKnowledge = {}) {
    super(inner);
    this.versions = locks;
    this.setting = setting;
    this.lost = lost;
    this.unreadable = unreadable;
    this.#atLeast = atLeast;
    this.#clock = clock;
  }

  /** The same place, known in another way; without a setting what is put there is not locked. */
  with(knowledge: LockKnowledge): LockingStorage {
    return new LockingStorage(this.inner, this.versions, this.#clock, knowledge);
  }

  protected override around<T>(_call: unknown, run: () => Promise<T>): Promise<T> {
    return run();
  }

  /** Errors: `repository/lock-lost`. */
  override async put(name: string, parts: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    if (this.lost && isLockable(name)) throw lockLost(this.location);
    if (!this.setting || !isLockable(name)) return super.put(name, parts, options);
    const lock = options.lock ?? longer({ mode: this.setting.mode, until: objectLockEnd(this.setting, this.#clock.now()) }, this.#atLeast);
    await super.put(name, parts, { ...options, lock });
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(name, lock);
  }

  /** Errors: `storage/locked`. */
  override async delete(name: string, options: { signal?: AbortSignal } = {}): Promise<void> {
    const until = await this.lockedUntil(name, options.signal);
    if (until !== undefined) throw objectLocked(this.location, name, until);
    await super.delete(name, options);
  }

  override async get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    try {
      return await super.get(name, options);
    } catch (error) {
      const own = isNotFound(error) ? await this.#hidden(name, options.signal) : undefined;
      if (!own) throw error;
      return await this.versions.read(name, own.version.id, options);
    }
  }

  override async stat(name: string, options: { signal?: AbortSignal } = {}): Promise<ObjectInfo | undefined> {
    const found = await super.stat(name, options);
    if (found) return found;
    const own = await this.#hidden(name, options.signal);
    return own && { name, size: own.version.size };
  }

  override async list(prefix: string, options: { after?: string; limit?: number; signal?: AbortSignal } = {}): Promise<ListPage> {
    if (!isLockable(prefix)) return super.list(prefix, options);
    const { limit = 1000, signal } = options;
    for (let after = options.after; ;) {
      const page = await this.versions.versions(prefix, { after, limit, signal });
      const shown = await this.#shown(page.objects, signal);
      const objects = shown.slice(0, limit);
      const next = shown.length > limit ? objects.at(-1)?.name : page.next;
      if (objects.length > 0 || next === undefined) return next === undefined ? { objects } : { objects, next };
      after = next;
    }
  }

  /** The same place, where what is put is locked as long and as firmly as some objects are, in whose place it comes. */
  async asLongAs(names: readonly string[], signal?: AbortSignal): Promise<LockingStorage> {
    let atLeast: Lock | undefined;
    await inLanes(names, LANES, async (name) => {
      const until = await this.lockedUntil(name, signal);
      if (until === undefined) return;
      const mode = await this.lockedUntil(name, signal, 'compliance') === undefined ? 'governance' : 'compliance';
      atLeast = longer({ mode, until }, atLeast);
    });
    return this.with({ setting: this.setting, lost: this.lost, unreadable: this.unreadable, atLeast });
  }

  /** When the last lock of an object ends, of any mode unless told; undefined where it has ended, or there never was one. */
  async lockedUntil(name: string, signal?: AbortSignal, mode?: LockMode): Promise<number | undefined> {
    return isLockable(name) ? lastLockEnd(this.versions, name, { now: this.#clock.now(), mode, signal }) : undefined;
  }

  /** Locks the newest version of what was put without a lock; one that somebody has locked meanwhile stays as it is. */
  async hold(name: string, setting: LockSetting, signal?: AbortSignal): Promise<void> {
    const newest = (await versionsOf(this.versions, name, signal))?.versions[0];
    if (!newest) throw objectNotFound(this.location, name);
    const now = this.#clock.now();
    const held = await this.versions.lockOf(name, newest.id, { signal });
    if (held && held.until > now) return;
    const lock = { mode: setting.mode, until: objectLockEnd(setting, now) };
    await this.versions.lock(name, newest.id, lock, { signal });
    this.known.set(name, lock);
  }

  /** The bytes of each version that is locked, the oldest first, where there is more than one that they could be. */
  async *lockedVersionsOf(name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const object = await versionsOf(this.versions, name, signal);
    if (!object || object.versions.length < 2 || !isLockable(name)) return;
    for (const { id } of object.versions.toReversed()) {
      const lock = await this.versions.lockOf(name, id, { signal });
      if (lock && lock.until > this.#clock.now()) yield await this.versions.read(name, id, { signal });
    }
  }

  async #shown(objects: readonly VersionedObject[], signal: AbortSignal | undefined): Promise<ObjectInfo[]> {
    const revealed = new Map<string, number>();
    await inLanes(objects.filter(({ name, deleted }) => deleted && isLockable(name)), LANES, async (object) => {
      const own = await this.#lockedUnder(object, signal);
      if (own) revealed.set(object.name, own.version.size);
    });
    return objects.flatMap(({ name, deleted, versions: [newest] }) => {
      const size = deleted ? revealed.get(name) : newest?.size;
      return size === undefined ? [] : [{ name, size }];
    });
  }

  async #hidden(name: string, signal: AbortSignal | undefined): Promise<OwnVersion | undefined> {
    if (!isLockable(name)) return undefined;
    const object = await versionsOf(this.versions, name, signal);
    return object?.deleted ? this.#lockedUnder(object, signal) : undefined;
  }

  async #lockedUnder(object: VersionedObject, signal: AbortSignal | undefined): Promise<OwnVersion | undefined> {
    const key = `${object.name} ${object.versions[0]?.id ?? ''}`;
    if (this.#ended.has(key)) return undefined;
    const own = await lockedVersion(this.versions, object, this.#clock.now(), signal);
    if (!own && this.#ended.size < MOST_KNOWN) this.#ended.add(key);
    return own;
  }
}

function longer(lock: Lock, other: Lock | undefined): Lock {
  if (!other) return lock;
  return { mode: lock.mode === 'compliance' || other.mode === 'compliance' ? 'compliance' : 'governance', until: Math.max(lock.until, other.until) };
}

function isNotFound(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'storage/not-found';
}
