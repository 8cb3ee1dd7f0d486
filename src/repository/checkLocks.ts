import { isHoldfastError } from '../domain/index.ts';
import { listAll, type LockMode, type VersionedObject } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import type { CheckView } from './checkStream.ts';
import { isCopy } from './copyMarker.ts';
import { readEntity } from './entityKeys.ts';
import { inLanes } from './inLanes.ts';
import { isLockable } from './lockable.ts';
import { isHidden, lockedVersion } from './lockedVersions.ts';
import type { LockingStorage } from './lockingStorage.ts';
import type { LockSetting } from './lockSetting.ts';
import type { Manifest } from './manifest.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { visitNeededPacks } from './neededPacks.ts';
import { isNeededBy, neededRecords } from './neededRecords.ts';
import { lockingOf } from './openLocked.ts';
import { removedSlots } from './removals.ts';
import { isUnreadable } from './sealedObject.ts';

const LANES = 8;

/** What a check found of the locks of a repository. */
export interface LockReport extends LockSetting {
  /** Objects that some locked snapshot needs. */
  readonly objects: number;
  /** By id of the entity: until when its newest snapshot is locked with all that it needs; null where it is not. ISO 8601. */
  readonly covered: Readonly<Record<string, string | null>>;
}

/** Until when an object must be locked in a mode, and the snapshot that needs that. */
interface Needed {
  readonly name: string;
  readonly mode: LockMode;
  readonly until: number;
  readonly snapshot: string;
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
    // What manifests say of locks in a copy holds for the source.
    const copy = await isCopy(view.context, view.signal);
    for (const [tag, manifests] of byTag) await (copy ? check.#copied(manifests) : check.#entity(tag, manifests));
    await check.#locks();
    return storage.setting && { ...storage.setting, objects: new Set([...check.#needed.values()].map(({ name }) => name)).size, covered: check.#covered };
  }

  #copied([any]: readonly Manifest[]): void {
    if (any) this.#covered[any.entity.id] = null;
  }

  async #entity(tag: string, manifests: readonly Manifest[]): Promise<void> {
    const now = this.#view.context.clock.now();
    const newest = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
    if (!newest) return;
    const locked = manifests.filter(({ lock }) => lock && Date.parse(lock.until) > now);
    const end = newest.lock && locked.includes(newest) ? newest.lock.until : null;
    this.#covered[newest.entity.id] = end;
    if (end === null) {
      this.#view.notices.add(names.snapshot(tag, newest.id), 'not-locked', 'The newest snapshot of this entity is not locked, or not any more: the next backup locks what it needs.');
    }
    if (locked.length === 0) return;
    const records: string[] = [];
    for await (const name of neededRecords(this.#storage, tag, this.#view.signal)) {
      // A slot that was removed for good is left to go.
      if (!name.startsWith(names.key('')) || !this.#removed.has(lastSegment(name))) records.push(name);
    }
    for (const manifest of locked) this.#records(manifest, records);
    try {
      await this.#packs(tag, locked);
    } catch (error) {
      // What cannot be read is among the errors by now, and nothing tells what it needs.
      if (!isUnreadable(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
    }
  }

  #records(manifest: Manifest, records: readonly string[]): void {
    const { tag, id, layers } = manifest;
    const segments = layers.flat().map((ref) => names.segment(tag, ref.id));
    for (const name of [names.snapshot(tag, id), names.seal(tag, id), ...segments]) this.#need(name, manifest);
    for (const name of records) if (isNeededBy(manifest, name)) this.#need(name, manifest);
  }

  async #packs(tag: string, locked: readonly Manifest[]): Promise<void> {
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
    const ends = locked.map(({ lock }) => Date.parse(lock?.until ?? ''));
    // By mode and pack: the root whose lock ends last.
    const last = new Map<string, { stream: string; pack: string; root: number }>();
    try {
      await visitNeededPacks(context, record, locked.map(({ layers }) => layers), { indexes, gone, signal }, (stream, pack, roots) => {
        for (const root of roots) {
          const key = `${locked[root]?.lock?.mode} ${pack}`;
          if ((ends[root] ?? 0) > (ends[last.get(key)?.root ?? -1] ?? 0)) last.set(key, { stream, pack, root });
        }
      });
    } finally {
      for (const index of indexes) index.close();
    }
    for (const { stream, pack, root } of last.values()) this.#need(names.pack(stream, pack), locked[root]);
  }

  #need(name: string, manifest: Manifest | undefined): void {
    if (!manifest?.lock) return;
    const { mode } = manifest.lock;
    const until = Date.parse(manifest.lock.until);
    const key = `${mode} ${name}`;
    if ((this.#needed.get(key)?.until ?? 0) < until) this.#needed.set(key, { name, mode, until, snapshot: manifest.id });
  }

  async #locks(): Promise<void> {
    await inLanes(this.#needed.values(), LANES, async ({ name, mode, until, snapshot }) => {
      const end = await this.#storage.lockedUntil(name, this.#view.signal, mode) ?? 0;
      // Services keep whole seconds.
      if (end + 1000 > until) return;
      const state = end === 0 ? `not locked (${mode})` : `locked (${mode}) until ${new Date(end).toISOString()} only`;
      this.#view.errors.add(name, 'lock-short', `It is ${state}; the snapshot ${snapshot} needs it until ${new Date(until).toISOString()}.`);
    });
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
    const own = await lockedVersion(this.#storage.versions, object, clock.now(), signal);
    if (!own || !(await isHidden(this.#storage.versions, object, own.version, signal))) return;
    const [code, what] = object.deleted ? ['hidden', 'Somebody deleted this object'] : ['overwritten', 'Somebody put something else in the place of this object'];
    this.#view.errors.add(object.name, code, `${what}, although it is locked. It is still there: 'holdfast storage unhide' brings it back. Change the keys of the bucket.`);
  }
}
