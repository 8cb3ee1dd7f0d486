import { HoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import type { StreamIndex } from './blobIndex.ts';
import type { EntityRecord } from './entityKeys.ts';
import { inLanes } from './inLanes.ts';
import { isHidden, lockedVersion, versionsOf, type OwnVersion } from './lockedVersions.ts';
import type { LockingStorage } from './lockingStorage.ts';
import { LockLedger } from './lockLedger.ts';
import { objectLockEnd, renewalEnd, type LockSetting } from './lockSetting.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { visitNeededPacks } from './neededPacks.ts';
import { neededRecords } from './neededRecords.ts';
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
  /** Own and shared. */
  readonly indexes: () => Promise<readonly [StreamIndex, StreamIndex]>;
  readonly until: number;
}

/**
 * Locks all that a snapshot needs until a time, packs of earlier runs included, and reads back what it sets. What is known to be locked for
 * long enough costs no request: the ledger knows what this machine has read, and the set of the predecessor. Only where some of that
 * falls short the rows are walked through, so that packs which nothing needs any more are not locked for ever.
 * Errors: `repository/hidden`, `storage/lock-failed`, `repository/pruned-under-run`.
 */
export class LockCover implements Disposable {
  readonly #context: RepositoryContext;
  readonly #storage: LockingStorage;
  readonly setting: LockSetting;
  readonly #ledger: LockLedger;

  constructor(context: RepositoryContext, storage: LockingStorage, setting: LockSetting) {
    this.#context = context;
    this.#storage = storage;
    this.setting = setting;
    this.#ledger = LockLedger.open(context.cacheDirectory);
  }

  [Symbol.dispose](): void {
    this.#ledger[Symbol.dispose]();
  }

  async run(coverage: Coverage, signal?: AbortSignal): Promise<void> {
    const ledger = this.#ledger;
    const { mode } = this.setting;
    ledger.remember(this.#storage.known, mode);
    const { snapshot, predecessor, until } = coverage;
    const known = ledger.begin(snapshot, predecessor);
    if (known) ledger.add(snapshot, await this.#packNames(coverage));
    const fallsShort = ledger.short(snapshot, { until, mode }).some((lock) => lock.until > 0);
    if (!known || fallsShort) await this.#walk(coverage, signal);
    ledger.add(snapshot, await this.#records(coverage, signal));
    await this.#passOverRemoved(snapshot, until, signal);
    if (ledger.short(snapshot, { until, mode, limit: 1 }).length > 0) await this.#renew(snapshot, signal);
  }

  /** To be called when the snapshot is sealed. */
  keep({ snapshot, record }: Coverage): void {
    this.#ledger.keep(snapshot, record.tag);
  }

  async #packNames({ reliedOn, record, indexes }: Coverage): Promise<string[]> {
    if (reliedOn.size === 0) return [];
    const own = (await indexes())[0].packs();
    return [...reliedOn].map((pack) => names.pack(own.has(pack) ? record.tag : SHARED, pack));
  }

  /** The set anew, exactly. */
  async #walk({ snapshot, record, layers, indexes, reliedOn }: Coverage, signal?: AbortSignal): Promise<void> {
    const loaded = await indexes();
    const standing = new Set<string>(reliedOn);
    for (const { stream } of loaded) {
      for await (const { name } of listAll(this.#storage, names.packs(stream), signal ? { signal } : {})) standing.add(lastSegment(name));
    }
    // Ids of packs with their streams: as many as the entity has packs, however many blobs.
    const needed = new Map<string, string>();
    const gone = { has: (pack: string) => !standing.has(pack) };
    await visitNeededPacks(this.#context, record, [layers], { indexes: loaded, gone, signal }, (stream, pack) => { needed.set(pack, stream); });
    this.#ledger.clear(snapshot);
    this.#ledger.add(snapshot, [...needed].map(([pack, stream]) => names.pack(stream, pack)));
  }

  /** Everything besides packs. Of index segments all that stand: which of them is read, a reader decides. */
  async #records({ record: { tag }, layers }: Coverage, signal?: AbortSignal): Promise<string[]> {
    const found = layers.flat().map(({ id }) => names.segment(tag, id));
    for await (const name of neededRecords(this.#storage, tag, signal)) found.push(name);
    for (const prefix of [names.lock(''), names.index(tag, ''), names.index(SHARED, '')]) {
      for await (const { name } of listAll(this.#storage, prefix, signal ? { signal } : {})) found.push(name);
    }
    return found;
  }

  /** Slots that were removed for good are not locked anew, so that they can go. The records are read only when a slot's lock falls short. */
  async #passOverRemoved(snapshot: string, until: number, signal?: AbortSignal): Promise<void> {
    const slots = this.#ledger.short(snapshot, { until, mode: this.setting.mode, after: names.key('') }).map(({ name }) => name).filter((name) => name.startsWith(names.key('')));
    if (slots.length === 0) return;
    const removed = await removedSlots(this.#context, signal, { passOverUnreadable: true });
    this.#ledger.drop(snapshot, slots.filter((name) => removed.has(lastSegment(name))));
  }

  async #renew(snapshot: string, signal?: AbortSignal): Promise<void> {
    const now = this.#context.clock.now();
    const before = renewalEnd(this.setting, now);
    const end = objectLockEnd(this.setting, now);
    for (let after = ''; ;) {
      const page = this.#ledger.short(snapshot, { until: before, mode: this.setting.mode, after });
      const last = page.at(-1);
      if (!last) return;
      const locked = new Map<string, number>();
      try {
        await inLanes(page, LANES, async ({ name }) => { locked.set(name, await this.#hold(name, before, end, signal)); });
      } finally {
        this.#ledger.remember(locked, this.setting.mode);
      }
      after = last.name;
    }
  }

  /** @returns when its lock ends: not before `before`. */
  async #hold(name: string, before: number, end: number, signal?: AbortSignal): Promise<number> {
    const { version, lock } = await this.#own(name, signal);
    // A lock of compliance that still holds cannot become one of governance, and holds more.
    const mode = lock?.mode === 'compliance' && lock.until > this.#context.clock.now() ? 'compliance' : this.setting.mode;
    if (lock && lock.until >= before && lock.mode === mode) return lock.until;
    const until = Math.max(end, lock?.until ?? 0);
    await this.#storage.versions.lock(name, version.id, { mode, until }, { signal });
    return until;
  }

  /** The author's version, where readers get that one. */
  async #own(name: string, signal?: AbortSignal): Promise<OwnVersion> {
    const { versions } = this.#storage;
    const object = await versionsOf(versions, name, signal);
    const newest = object?.versions[0];
    if (!object || !newest) throw prunedUnderRun();
    if (object.versions.length === 1 && !object.deleted) return { version: newest, lock: await versions.lockOf(name, newest.id, { signal }) };
    const own = await lockedVersion(versions, object, this.#context.clock.now(), signal);
    if (!own && object.deleted) throw prunedUnderRun();
    if (own && await isHidden(versions, object, own.version, signal)) throw hidden(name, this.#storage.location);
    return own ?? { version: newest, lock: undefined };
  }
}

function hidden(name: string, location: string): HoldfastError {
  return new HoldfastError('repository/hidden', 'input',
    `Somebody deleted ${name} or put something else in its place, although it is locked. It is still there: 'holdfast storage unhide' brings it back `
    + `(${location}). Then change the keys of the bucket, and run the command again.`, { data: { object: name } });
}
