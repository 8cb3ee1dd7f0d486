import { HoldfastError } from '../domain/index.ts';
import { listAll, type Lock, type VersionedObject } from '../storage/index.ts';
import type { StreamIndex } from './blobIndex.ts';
import { DoomedList } from './doomed.ts';
import type { EntityRecord } from './entityKeys.ts';
import { inLanes } from './inLanes.ts';
import { isReplaceable } from './lockable.ts';
import { isHidden, lockedVersion, versionsOf, type OwnVersion } from './lockedVersions.ts';
import type { LockingStorage } from './lockingStorage.ts';
import { LockLedger } from './lockLedger.ts';
import { objectLockEnd, renewalEnd, type StoredLockSetting } from './lockSetting.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { visitNeededPacks } from './neededPacks.ts';
import { neededRecords } from './neededRecords.ts';
import type { Pin } from './pin.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import { removedSlots } from './removals.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import type { Layer } from './segment.ts';

const LANES = 8;

/** A snapshot that is about to be sealed. */
export interface Coverage {
  readonly record: EntityRecord;
  readonly snapshot: string;
  readonly predecessor: string | undefined;
  readonly layers: readonly Layer[];
  /** Ids of packs that the run's own rows rely on. */
  readonly reliedOn: ReadonlySet<string>;
  /** On the predecessor; undefined without one. */
  readonly pin: Pin | undefined;
  /** Own and shared. */
  readonly indexes: () => Promise<readonly [StreamIndex, StreamIndex]>;
  readonly until: number;
}

/**
 * Locks all that a snapshot needs until a time, packs of earlier runs included, and reads back what it sets. What is known to be locked for
 * long enough costs no request: the ledger knows what this machine has read, and the packs of the predecessor. Where one of those falls short
 * the rows are walked through, so that packs which nothing needs any more are not locked for ever. What somebody has announced for deletion is not locked anew
 * where another place has it: with a time that was taken before that was looked for, so that a date can be told by which it goes.
 * Errors: `repository/hidden`, `storage/lock-failed`, `repository/pruned-under-run`.
 */
export class LockCover implements Disposable {
  readonly #context: RepositoryContext;
  readonly #storage: LockingStorage;
  readonly setting: StoredLockSetting;
  readonly #ledger: LockLedger;

  private constructor(context: RepositoryContext, storage: LockingStorage, setting: StoredLockSetting, ledger: LockLedger) {
    this.#context = context;
    this.#storage = storage;
    this.setting = setting;
    this.#ledger = ledger;
  }

  static async open(context: RepositoryContext, storage: LockingStorage, setting: StoredLockSetting, signal?: AbortSignal): Promise<LockCover> {
    // The first version: others may put newer ones.
    const version = (await versionsOf(storage.versions, names.lock(setting.id), signal))?.versions.at(-1)?.id ?? '';
    const ledger = LockLedger.open(context.cacheDirectory, { location: storage.location, setting: `${setting.id} ${version}` });
    return new LockCover(context, storage, setting, ledger);
  }

  [Symbol.dispose](): void {
    this.#ledger[Symbol.dispose]();
  }

  /** @returns ids of packs that the run's rows rely on and that are announced for deletion: they are not locked, and what is needed of them has to be stored anew. */
  async run(coverage: Coverage, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const { snapshot, predecessor, until } = coverage;
    const { mode } = this.setting;
    const now = this.#context.clock.now();
    const before = renewalEnd(this.setting, now);
    this.#ledger.remember(this.#storage.known);
    this.#storage.known.clear();
    const known = this.#ledger.begin(snapshot, predecessor);
    const walk = !known || this.#ledger.isShort(snapshot, { until: before, mode });
    if (known) this.#ledger.add(snapshot, await this.#packNames(coverage));
    this.#ledger.add(snapshot, await this.#records(coverage, signal));
    if (known && !this.#ledger.isShort(snapshot, { until, mode })) return new Set();
    const doomed = await this.#doomed(coverage, signal);
    await this.#passOver(coverage, before, signal);
    const left = await this.#leave(coverage, doomed);
    if (known && !this.#ledger.isShort(snapshot, { until, mode })) return left;
    if (walk) await this.#walk(coverage, doomed, left, signal);
    await this.#renew(snapshot, { before, end: objectLockEnd(this.setting, now) }, signal);
    return left;
  }

  /** What is announced, with an index in which all stands that was copied from it. An erasure sweeps pins away after its announcement: a run without its own fails. */
  async #doomed({ pin, indexes }: Coverage, signal?: AbortSignal): Promise<ReadonlySet<string>> {
    const { packs } = await DoomedList.load(this.#storage, this.#context.keyring, signal);
    for (const index of await indexes()) await index.reload(signal);
    if (pin && !(await pin.held(signal))) throw prunedUnderRun();
    return packs;
  }

  async #leave({ snapshot, reliedOn, record }: Coverage, doomed: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const left = new Set([...reliedOn].filter((pack) => doomed.has(pack)));
    this.#ledger.drop(snapshot, [...left].flatMap((pack) => [names.pack(record.tag, pack), names.pack(SHARED, pack)]));
    return left;
  }

  /** To be called when the snapshot is sealed. */
  keep({ snapshot, record }: Coverage): void {
    const now = this.#context.clock.now();
    this.#ledger.keep(snapshot, record.tag, { now, lockMs: objectLockEnd(this.setting, now) - now });
  }

  async #packNames({ reliedOn, record, indexes }: Coverage): Promise<string[]> {
    if (reliedOn.size === 0) return [];
    const own = (await indexes())[0].packs();
    return [...reliedOn].map((pack) => names.pack(own.has(pack) ? record.tag : SHARED, pack));
  }

  /** The packs anew, exactly. */
  async #walk({ snapshot, record, layers, indexes, reliedOn }: Coverage, doomed: ReadonlySet<string>, left: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    const loaded = await indexes();
    const standing = new Set<string>(reliedOn);
    for (const { stream } of loaded) {
      for await (const { name } of listAll(this.#storage, names.packs(stream), signal ? { signal } : {})) standing.add(lastSegment(name));
    }
    // Ids of packs with their streams: as many as the entity has packs, however many blobs.
    const needed = new Map<string, string>();
    const gone = { has: (pack: string) => !standing.has(pack) };
    await visitNeededPacks(this.#context, record, [layers], { indexes: loaded, gone, doomed, signal }, (stream, pack) => {
      if (!left.has(pack)) needed.set(pack, stream);
    });
    this.#ledger.clearPacks(snapshot);
    this.#ledger.add(snapshot, [...needed].map(([pack, stream]) => names.pack(stream, pack)));
  }

  /** Everything besides packs. */
  async #records({ record: { tag }, layers }: Coverage, signal?: AbortSignal): Promise<string[]> {
    const found = layers.flat().map(({ id }) => names.segment(tag, id));
    for await (const name of neededRecords(this.#storage, tag, signal)) found.push(name);
    for (const prefix of [names.lock(''), names.index(tag, ''), names.index(SHARED, '')]) {
      for await (const { name } of listAll(this.#storage, prefix, signal ? { signal } : {})) found.push(name);
    }
    return found;
  }

  /** Slots that were removed for good, and index segments that others replace, are not locked anew, so that they can go. Which those are is read only when one falls short. */
  async #passOver({ snapshot, indexes }: Coverage, until: number, signal?: AbortSignal): Promise<void> {
    const { mode } = this.setting;
    if (this.#ledger.isShort(snapshot, { until, mode, under: names.key('') })) {
      const removed = await removedSlots(this.#context, signal, { passOverUnreadable: true });
      this.#ledger.drop(snapshot, [...removed.keys()].map(names.key));
    }
    if (!this.#ledger.isShort(snapshot, { until, mode, under: 'index/' })) return;
    for (const { stream, superseded } of await indexes()) this.#ledger.drop(snapshot, superseded.map((id) => names.index(stream, id)));
  }

  async #renew(snapshot: string, ends: { readonly before: number; readonly end: number }, signal?: AbortSignal): Promise<void> {
    const { mode } = this.setting;
    for (let after = ''; ;) {
      const page = this.#ledger.short(snapshot, { until: ends.before, mode, after });
      const last = page.at(-1);
      if (!last) return;
      const locked = new Map<string, Lock>();
      try {
        await inLanes(page, LANES, async ({ name }) => { locked.set(name, await this.#hold(name, ends, signal)); });
      } finally {
        this.#ledger.remember(locked);
      }
      after = last.name;
    }
  }

  /** @returns its lock, which does not end before `before`. */
  async #hold(name: string, { before, end }: { readonly before: number; readonly end: number }, signal?: AbortSignal): Promise<Lock> {
    const { version, lock } = await this.#own(name, signal);
    // A lock of compliance that still holds cannot become one of governance, and holds more.
    const mode = lock?.mode === 'compliance' && lock.until > this.#context.clock.now() ? 'compliance' : this.setting.mode;
    if (lock && lock.until >= before && lock.mode === mode) return lock;
    const until = Math.max(end, lock?.until ?? 0);
    await this.#storage.versions.lock(name, version.id, { mode, until }, { signal });
    return { mode, until };
  }

  /** The author's version, where readers get that one. */
  async #own(name: string, signal?: AbortSignal): Promise<OwnVersion> {
    const { versions } = this.#storage;
    const object = await versionsOf(versions, name, signal);
    const newest = object?.versions[0];
    if (!object || !newest) throw prunedUnderRun();
    if (object.versions.length === 1 && !object.deleted) return { version: newest, lock: await versions.lockOf(name, newest.id, { signal }) };
    const slot = isReplaceable(name) && !object.deleted ? await this.#ownSlot(object, signal) : undefined;
    if (slot) return slot;
    const own = await lockedVersion(versions, object, this.#context.clock.now(), signal);
    if (!own && object.deleted) throw prunedUnderRun();
    if (own && await isHidden(versions, object, own.version, signal)) throw hidden(name, this.#storage.location);
    return own ?? { version: newest, lock: undefined };
  }

  /** Of several versions of a slot the newest that is one: who opens the repository finds it under whatever lies over it. */
  async #ownSlot({ name, versions }: VersionedObject, signal?: AbortSignal): Promise<OwnVersion | undefined> {
    const locks = this.#storage.versions;
    for (const version of versions) {
      if (!this.#context.keyring.slotHolds(name, await locks.read(name, version.id, { signal }))) continue;
      return { version, lock: await locks.lockOf(name, version.id, { signal }) };
    }
    return undefined;
  }
}

function hidden(name: string, location: string): HoldfastError {
  return new HoldfastError('repository/hidden', 'input',
    `Somebody deleted ${name} or put something else in its place, although it is locked. It is still there: 'holdfast storage unhide' brings it back `
    + `(${location}). Then change the keys of the bucket, and run the command again.`, { data: { object: name } });
}
