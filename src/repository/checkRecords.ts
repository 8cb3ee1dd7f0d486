import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { hitWhole } from './checkItems.ts';
import type { CheckView } from './checkStream.ts';
import type { FindingEntry } from './checkReport.ts';
import { DoomedList } from './doomed.ts';
import { readEntity } from './entityKeys.ts';
import { readEpoch } from './epochs.ts';
import { epochNumber } from './keyring.ts';
import { checkSeal, readManifest, type Manifest, type StoredManifest } from './manifest.ts';
import { CONFIG, isPrepared, lastSegment, names, WEAK } from './names.ts';
import { readRemovals, removedSlots } from './removals.ts';
import { configBytes } from './repositoryConfig.ts';
import { namesUnder, tagAndId } from './roots.ts';
import { isUnreadable, openJson, readHeader } from './sealedObject.ts';
import { slotBytes } from './slotBytes.ts';

/** Slots that every repository is made with. */
const SLOTS = ['operator', 'recovery'];
/** Records that stand on their own: each is opened, and nothing else hangs on it. */
const SINGLE = ['pins/', 'checkpoints/', 'void/', 'doomed/', 'claims/', 'copies/', 'locks/', 'settings/', 'journals/'];

/** Config, key slots, and the small records of runs and prunes. */
export async function checkRecords(view: CheckView): Promise<void> {
  const { storage, keyring } = view.context;
  await guarded(view, CONFIG, async () => {
    const bytes = await storage.get(CONFIG, signalOf(view));
    if (!configBytes(keyring.repository).equals(bytes)) view.errors.add(CONFIG, 'damaged', 'The config is not the one that was written.');
  });
  if (await storage.stat(WEAK, signalOf(view))) {
    view.notices.add(WEAK, 'weak-storage', "Listings or reads were seen to lag behind in this place: prune does not run here. 'holdfast storage test' looks again.");
  }
  for (const name of await expectedSlots(view)) {
    await guarded(view, name, async () => {
      const bytes = await slotBytes(storage, keyring, name, view.signal);
      readHeader(bytes, 'HFOB', name);
      if (!keyring.slotHolds(name, bytes)) view.errors.add(name, 'damaged', 'The key slot is damaged: its key no longer opens the repository.');
    });
  }
  for (const prefix of SINGLE) {
    for await (const object of listAll(storage, prefix, signalOf(view))) {
      await guarded(view, object.name, async () => {
        openJson(object.name, await storage.get(object.name, signalOf(view)), keyring.metaOf);
      }, true);
    }
  }
}

/** Slots that stand, and those that must: what the repository was made with and what an epoch was sealed for, unless it was removed on record. */
async function expectedSlots(view: CheckView): Promise<Set<string>> {
  const { storage, keyring } = view.context;
  const slots = new Set(SLOTS.map((slot) => names.key(slot)));
  // The first epoch has no object. Another one that is known, from a slot's bundle, must have one: other slots know it from there alone.
  const known = [...keyring.known.values()].filter(({ id, active }) => active && epochNumber(id) > 1).map(({ id }) => names.epoch(id));
  for (const name of new Set([...known, ...(await namesUnder(view.context, names.epoch(''), view.signal))])) {
    await guarded(view, name, async () => {
      const record = readEpoch(keyring, name, await storage.get(name, signalOf(view)));
      if (record.active) for (const slot of Object.keys(record.slots)) slots.add(names.key(slot));
    }, isPrepared(name));
  }
  // A removal that cannot be read is named where the snapshots are checked.
  const removed = await removedSlots(view.context, view.signal, { passOverUnreadable: true });
  for (const slot of removed.keys()) slots.delete(names.key(slot));
  for (const name of await namesUnder(view.context, names.key(''), view.signal)) slots.add(name);
  return slots;
}

/** `fleeting`: the object may go away at any time. */
async function guarded(view: CheckView, name: string, work: () => Promise<void>, fleeting = false): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (fleeting && isHoldfastError(error) && error.code === 'storage/not-found') return;
    view.errors.addError(name, error);
  }
}

function signalOf(view: CheckView): { signal?: AbortSignal } {
  return view.signal ? { signal: view.signal } : {};
}

/** What the journal and running prunes say of snapshots that are gone or going. */
export interface Removed {
  /** `<tag>/<id>` → hashes of manifests that were removed on purpose. */
  readonly journal: ReadonlyMap<string, ReadonlySet<string>>;
  readonly going: (manifest: string) => boolean;
}

export async function readRemoved(view: CheckView): Promise<Removed> {
  const journal = await readRemovals(view.context, (name, error) => view.errors.addError(name, error), view.signal);
  let going = (_: string): boolean => false;
  try {
    const doomed = await DoomedList.load(view.context.storage, view.context.keyring, view.signal);
    going = (name) => doomed.has(name);
  } catch (error) {
    if (!isHoldfastError(error) || !isUnreadable(error)) throw error;
    view.errors.addError(String(error.data['object']), error);
  }
  return { journal, going };
}

/** The snapshots of one entity whose manifests can be read: manifests, seals, and the chain of predecessors. */
export async function checkSnapshots(view: CheckView, tag: string, removed: Removed): Promise<Manifest[]> {
  const seals = await namesUnder(view.context, names.seal(tag, ''), view.signal);
  const listed = await namesUnder(view.context, names.snapshot(tag, ''), view.signal);
  const stored: StoredManifest[] = [];
  const unreadable = new Map<string, FindingEntry>();
  for (const name of listed) {
    try {
      stored.push(await readManifest(view.context.storage, view.context.keyring, tag, lastSegment(name), view.signal));
    } catch (error) {
      unreadable.set(lastSegment(name), view.errors.addError(name, error));
    }
  }
  // A copy puts all manifests before any seal: one that was stopped shows by whole chains without seals.
  const isCopy = (await namesUnder(view.context, names.copy(''), view.signal)).size > 0;
  const counted = isCopy ? stored.filter(({ manifest }) => seals.has(names.seal(tag, manifest.id))) : stored;
  const builtUpon = new Set(counted.map(({ manifest }) => manifest.predecessor?.id));
  const entity = unreadable.size > 0 ? await entityName(view, tag) : '';
  for (const [snapshot, entry] of unreadable) {
    if (!seals.has(names.seal(tag, snapshot)) && !builtUpon.has(snapshot)) continue;
    // How many items it shows is known to nothing but itself.
    entry.items.push({ entity, snapshot, path: '(all items of this snapshot)' });
    entry.itemCount++;
  }
  const snapshots: Manifest[] = [];
  for (const one of stored) {
    const name = names.snapshot(tag, one.manifest.id);
    if (removed.going(name)) view.notices.add(name, 'going', 'A prune is about to remove this snapshot.');
    else if (seals.has(names.seal(tag, one.manifest.id))) {
      snapshots.push(one.manifest);
      await guarded(view, names.seal(tag, one.manifest.id), () => checkSeal(view.context.storage, view.context.keyring, one, view.signal));
    } else if (builtUpon.has(one.manifest.id)) {
      snapshots.push(one.manifest);
      hitWhole(view.errors.add(names.seal(tag, one.manifest.id), 'missing', 'The seal of this snapshot is missing.'), [one.manifest]);
    } else view.notices.add(name, 'unsealed', 'This snapshot has no seal: its run did not finish, or still goes on, or the seal was lost.');
  }
  missingManifests(view, tag, seals, listed, removed);
  checkChain(view, tag, stored, listed, removed);
  view.counts.snapshots += snapshots.length;
  return snapshots;
}

/** What is wrong with the record is told where the entity's items are checked. */
async function entityName(view: CheckView, tag: string): Promise<string> {
  try {
    return (await readEntity(view.context.storage, view.context.keyring, tag, view.signal)).entity.name;
  } catch (error) {
    if (!isUnreadable(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
    return tag;
  }
}

function missingManifests(
  view: CheckView, tag: string, seals: ReadonlySet<string>, listed: ReadonlySet<string>, removed: Removed,
): void {
  for (const seal of seals) {
    const { id } = tagAndId(seal);
    const name = names.snapshot(tag, id);
    if (listed.has(name)) continue;
    if (removed.journal.has(`${tag}/${id}`) || removed.going(name)) {
      view.notices.add(seal, 'left-over', 'The seal of a snapshot that was removed; the next prune deletes it.');
    } else view.errors.add(name, 'missing', 'The snapshot was sealed, and its manifest is gone without a record of its removal.');
  }
}

/** A predecessor stands as it was, or the journal says that it was removed. */
function checkChain(view: CheckView, tag: string, stored: readonly StoredManifest[], listed: ReadonlySet<string>, removed: Removed): void {
  const hashes = new Map(stored.map(({ manifest, sha256 }) => [manifest.id, sha256]));
  for (const { manifest } of stored) {
    const before = manifest.predecessor;
    if (!before) continue;
    const name = names.snapshot(tag, before.id);
    const hash = hashes.get(before.id);
    if (hash === undefined) {
      const onRecord = removed.journal.get(`${tag}/${before.id}`)?.has(before.sha256) ?? false;
      if (!listed.has(name) && !onRecord) {
        view.errors.add(name, 'chain-gap', 'A later snapshot was made upon this one, and it is gone without a record of its removal.');
      }
    } else if (hash !== before.sha256) {
      view.errors.add(name, 'chain-broken', 'It is not the snapshot that the next one was made upon.');
    }
  }
}
