import { isHoldfastError } from '../domain/index.ts';
import { listAll, type LockMode, type VersionedObject } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import type { CheckView } from './checkStream.ts';
import { isCopy } from './copyMarker.ts';
import { DoomedList } from './doomed.ts';
import { readEntity } from './entityKeys.ts';
import { inLanes } from './inLanes.ts';
import { isLockable, isReplaceable } from './lockable.ts';
import { isHidden, lockedVersion } from './lockedVersions.ts';
import type { LockingStorage } from './lockingStorage.ts';
import type { LockSetting } from './lockSetting.ts';
import type { Manifest } from './manifest.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { visitNeededPacks } from './neededPacks.ts';
import { isNeededBy, neededRecords } from './neededRecords.ts';
import { lockHere, lockingOf, lockSettingOf } from './openLocked.ts';
import { removedSlots } from './removals.ts';
import { isUnreadable } from './sealedObject.ts';
import { slotBytes } from './slotBytes.ts';

const LANES = 8;

/** What a check found of the locks of a repository. */
export interface LockReport extends LockSetting {
  /** Objects that some locked snapshot needs. */
  readonly objects: number;
  /** By id of the entity: until when its newest snapshot is locked with all that it needs, as was found; null where it is not. ISO 8601. */
  readonly covered: Readonly<Record<string, string | null>>;
}

/** Until when an object must be locked in a mode, and the snapshot that needs that. */
interface Needed {
  readonly name: string;
  readonly mode: LockMode;
  readonly until: number;
  readonly snapshot: string;
  /** Ids of entities whose newest snapshot needs it. */
  readonly newestOf: Set<string>;
}

/** Asks for every lock that a locked snapshot relies on, and looks for what somebody hid. Trusts nothing but the place itself. */
export class LockCheck {
  readonly #view: CheckView;
  readonly #storage: LockingStorage;
  /** Key slots that were removed. */
  readonly #removed: ReadonlyMap<string, string>;
  /** By mode and name. */
  readonly #needed = new Map<string, Needed>();
  readonly #covered: Record<string, string | null> = {};

  private constructor(view: CheckView, storage: LockingStorage, removed: ReadonlyMap<string, string>) {
    this.#view = view;
    this.#removed = removed;
    this.#storage = storage;
  }

  /** `byTag`: the snapshots of each entity. @returns undefined where the repository is not locked. */
  static async run(view: CheckView, byTag: ReadonlyMap<string, readonly Manifest[]>): Promise<LockReport | undefined> {
    const storage = lockingOf(view.context);
    if (!storage) return undefined;
    if (!storage.setting) {
      view.errors.add(names.lock(''), 'lock-lost', "The repository was locked, and the record that says how is gone. 'holdfast repo lock' sets it again.");
    }
    const removed = await removedSlots(view.context, view.signal, { passOverUnreadable: true });
    const check = new LockCheck(view, storage, removed);
    await check.#hiddenObjects();
    for (const [tag, manifests] of byTag) await check.#entity(tag, manifests);
    await check.#locks();
    const setting = lockSettingOf(view.context);
    return setting && { ...setting, objects: new Set([...check.#needed.values()].map(({ name }) => name)).size, covered: check.#covered };
  }

  async #entity(tag: string, manifests: readonly Manifest[]): Promise<void> {
    const { context, signal } = this.#view;
    const newest = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
    if (!newest) return;
    const locked = await this.#locked(manifests);
    const end = newest.lock && locked.includes(newest) ? newest.lock.until : null;
    this.#covered[newest.entity.id] = end;
    // A copy is locked by who puts it there, and no lock is made longer later.
    if (end === null && !(await isCopy(context, signal))) {
      this.#view.notices.add(names.snapshot(tag, newest.id), 'not-locked', 'The newest snapshot of this entity is not locked, or not any more: the next backup locks what it needs.');
    }
    if (locked.length === 0) return;
    const records: string[] = [];
    for await (const name of neededRecords(this.#storage, tag, signal)) {
      // A slot that was removed for good is left to go.
      if (!name.startsWith(names.key('')) || !this.#removed.has(lastSegment(name))) records.push(name);
    }
    for (const manifest of locked) this.#records(manifest, records, manifest === newest);
    try {
      await this.#packs(tag, locked, newest);
    } catch (error) {
      // What cannot be read is among the errors by now, and nothing tells what it needs.
      if (!isUnreadable(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
      this.#covered[newest.entity.id] = null;
    }
  }

  /** Those that say of this place that they are locked. */
  async #locked(manifests: readonly Manifest[]): Promise<Manifest[]> {
    const { context, signal } = this.#view;
    const locked: Manifest[] = [];
    for (const manifest of manifests) {
      const lock = await lockHere(context, manifest, signal);
      if (lock && Date.parse(lock.until) > context.clock.now()) locked.push(manifest);
    }
    return locked;
  }

  #records(manifest: Manifest, records: readonly string[], newest: boolean): void {
    const { tag, id, layers } = manifest;
    const segments = layers.flat().map((ref) => names.segment(tag, ref.id));
    for (const name of [names.snapshot(tag, id), names.seal(tag, id), ...segments]) this.#need(name, manifest, newest);
    for (const name of records) if (isNeededBy(manifest, name)) this.#need(name, manifest, newest);
  }

  async #packs(tag: string, locked: readonly Manifest[], newest: Manifest): Promise<void> {
    const { context, signal } = this.#view;
    const record = await readEntity(context.storage, context.keyring, tag, signal);
    const indexes: StreamIndex[] = [];
    const standing = new Set<string>();
    for (const stream of [record, SHARED] as const) {
      indexes.push(await StreamIndex.loadReadable(context, stream, signal));
      const packs = names.packs(stream === SHARED ? SHARED : tag);
      for await (const { name } of listAll(this.#storage, packs, signal ? { signal } : {})) standing.add(lastSegment(name));
    }
    const gone = { has: (pack: string) => !standing.has(pack) };
    const { packs: doomed } = await DoomedList.load(context.storage, context.keyring, signal);
    const ends = locked.map(({ lock }) => Date.parse(lock?.until ?? ''));
    // By mode and pack: the root whose lock ends last.
    const last = new Map<string, { stream: string; pack: string; root: number; newest: boolean }>();
    try {
      await visitNeededPacks(context, record, locked.map(({ layers }) => layers), { indexes, gone, doomed, signal }, (stream, pack, roots) => {
        for (const root of roots) {
          const key = `${locked[root]?.lock?.mode} ${pack}`;
          const known = last.get(key) ?? { stream, pack, root, newest: false };
          const later = (ends[root] ?? 0) > (ends[known.root] ?? 0);
          last.set(key, { ...known, root: later ? root : known.root, newest: known.newest || locked[root] === newest });
        }
      });
    } finally {
      for (const index of indexes) index.close();
    }
    for (const { stream, pack, root, newest: isNewest } of last.values()) this.#need(names.pack(stream, pack), locked[root], isNewest);
  }

  #need(name: string, manifest: Manifest | undefined, newest: boolean): void {
    if (!manifest?.lock) return;
    const { mode } = manifest.lock;
    const until = Date.parse(manifest.lock.until);
    const key = `${mode} ${name}`;
    const known = this.#needed.get(key);
    const newestOf = known?.newestOf ?? new Set();
    if (newest) newestOf.add(manifest.entity.id);
    if ((known?.until ?? 0) < until) this.#needed.set(key, { name, mode, until, snapshot: manifest.id, newestOf });
  }

  async #locks(): Promise<void> {
    await inLanes(this.#needed.values(), LANES, async ({ name, mode, until, snapshot, newestOf }) => {
      const end = await this.#storage.lockedUntil(name, this.#view.signal, mode) ?? 0;
      // Services keep whole seconds.
      if (end + 1000 > until) return;
      for (const entity of newestOf) this.#coveredTo(entity, end);
      const state = end === 0 ? `not locked (${mode})` : `locked (${mode}) until ${new Date(end).toISOString()} only`;
      this.#view.errors.add(name, 'lock-short', `It is ${state}; the snapshot ${snapshot} needs it until ${new Date(until).toISOString()}.`);
    });
  }

  #coveredTo(entity: string, end: number): void {
    const covered = this.#covered[entity] ?? null;
    if (covered !== null && end < Date.parse(covered)) this.#covered[entity] = end > this.#view.context.clock.now() ? new Date(end).toISOString() : null;
  }

  /** Every name that has more than one version, or the mark of a deletion. */
  async #hiddenObjects(): Promise<void> {
    const { versions } = this.#storage;
    for (let after: string | undefined; ;) {
      const page = await versions.versions('', { after, signal: this.#view.signal });
      await inLanes(page.objects.filter(({ name, deleted, versions: all }) => isLockable(name) && (deleted || all.length > 1)), LANES, (one) => this.#hidden(one));
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  async #hidden(object: VersionedObject): Promise<void> {
    const { context: { clock }, signal } = this.#view;
    if (isReplaceable(object.name) && !object.deleted) return this.#slotUnderOthers(object.name);
    const own = await lockedVersion(this.#storage.versions, object, clock.now(), signal);
    if (!own || !(await isHidden(this.#storage.versions, object, own.version, signal))) return;
    const [code, what] = object.deleted ? ['hidden', 'Somebody deleted this object'] : ['overwritten', 'Somebody put something else in the place of this object'];
    this.#view.errors.add(object.name, code, `${what}, although it is locked. It is still there: 'holdfast storage unhide' brings it back. Change the keys of the bucket.`);
  }

  async #slotUnderOthers(name: string): Promise<void> {
    const { context: { storage, keyring }, signal } = this.#view;
    if (keyring.slotHolds(name, await storage.get(name, signal ? { signal } : {})) || !keyring.slotHolds(name, await slotBytes(storage, keyring, name, signal))) return;
    this.#view.errors.add(name, 'overwritten', 'Somebody put something else over this key slot, although it is locked. Its key still opens the repository with Holdfast. '
      + "Change the keys of the bucket, then make another key ('holdfast key add') and remove this slot: nothing takes away what lies over it.");
  }
}
