import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { comparedListings } from './comparedListings.ts';
import { RECORD_LANES } from './copyRecords.ts';
import type { CopyView } from './copyView.ts';
import { DoomedList } from './doomed.ts';
import { inLanes } from './inLanes.ts';
import { checkSeal, readManifest, type Manifest } from './manifest.ts';
import { lastSegment, names } from './names.ts';
import { pinSnapshot, type Pin } from './pin.ts';
import { readRemovals } from './removals.ts';
import { tagAndId } from './roots.ts';
import { isUnreadable } from './sealedObject.ts';
import { waitingObjects } from './waitingObjects.ts';

/** A sealed snapshot of the source that the copy does not have, or has with something missing. */
export interface DueSnapshot {
  readonly tag: string;
  readonly manifest: Manifest;
  /** Hash of the manifest's object. */
  readonly sha256: string;
  readonly pin: Pin | undefined;
  /** It stands sealed in the copy, and something of it was missing when it was copied. */
  readonly known: boolean;
}

/** Sealed snapshots on both sides. */
export interface SealListing {
  /** `seals/…` in the source alone. */
  readonly due: readonly string[];
  /** `<tag>/<id>` sealed in the copy. */
  readonly copied: ReadonlySet<string>;
  /** `<tag>/<id>` sealed in the copy, and removed from the source on purpose. */
  readonly removed: ReadonlySet<string>;
}

/** Errors: `copy/target-ahead`, where the copy has a snapshot of which the source knows nothing. */
export async function listSeals(view: CopyView): Promise<SealListing> {
  const due: string[] = [];
  const copied = new Set<string>();
  const ahead: string[] = [];
  const going = new Set<string>();
  // Removed from the source, where only their locks hold them.
  const waiting = await waitingObjects(view.source, view.signal);
  for await (const seal of comparedListings(view.source.storage, view.target.storage, 'seals/', view.signal)) {
    if (!seal.source) ahead.push(seal.name);
    if (waiting.has(seal.name.replace('seals/', 'snapshots/'))) {
      if (!seal.target) continue;
      going.add(seal.name.slice('seals/'.length));
    }
    if (seal.target) copied.add(seal.name.slice('seals/'.length));
    else due.push(seal.name);
  }
  for (const snapshot of ahead.length > 0 ? await explain(view, ahead) : []) going.add(snapshot);
  return { due, copied, removed: going };
}

/** Whatever the copy alone has must have been removed from the source on purpose: a source put back to an earlier state is no source. */
async function explain(view: CopyView, ahead: readonly string[]): Promise<Set<string>> {
  const { source } = view;
  const removed = await readRemovals(source, (name, error) => view.findError(name, error), view.signal);
  const doomed = await DoomedList.load(source.storage, source.keyring, view.signal);
  const unexplained: string[] = [];
  const explained = new Set<string>();
  for (const name of ahead) {
    const { tag, id } = tagAndId(name);
    const manifest = names.snapshot(tag, id);
    if (removed.has(`${tag}/${id}`) || doomed.has(manifest)) explained.add(`${tag}/${id}`);
    else if (await source.storage.stat(manifest, view.options)) view.find(name, 'missing', 'The seal of this snapshot is missing in the source.');
    else unexplained.push(id);
  }
  if (unexplained.length === 0) return explained;
  throw new HoldfastError('copy/target-ahead', 'input',
    `The copy at ${view.target.storage.location} has ${unexplained.length} snapshots that the source has not and did not remove, ${unexplained[0]} `
    + `among them: the source was put back to an earlier state, or has lost them. Nothing was copied. Restore from the copy, or copy to another place.`,
    { data: { snapshots: unexplained.length, first: unexplained[0] ?? '' } });
}

/** Reads and pins what is to be copied, the oldest first; what is damaged is named, what a prune took meanwhile is left out. */
export async function readDue(view: CopyView, due: readonly string[], add: (snapshot: DueSnapshot) => void): Promise<void> {
  await inLanes(due, RECORD_LANES, async (seal) => {
    const { tag, id } = tagAndId(seal);
    try {
      const stored = await readManifest(view.source.storage, view.source.keyring, tag, id, view.signal);
      await checkSeal(view.source.storage, view.source.keyring, stored, view.signal);
      const pin = await pinWherePossible(view, stored.manifest);
      if (pin?.stands === false) await pin.release();
      else add({ tag, manifest: stored.manifest, sha256: stored.sha256, pin, known: false });
    } catch (error) {
      await passOver(view, seal, error);
    }
  });
}

async function passOver(view: CopyView, seal: string, error: unknown): Promise<void> {
  if (!isHoldfastError(error)) throw error;
  const { tag, id } = tagAndId(seal);
  if (isUnreadable(error)) {
    view.find(String(error.data['object'] ?? seal), 'damaged', `The snapshot ${id} was not copied: ${error.message}`);
  } else if (error.code !== 'storage/not-found') {
    throw error;
  } else if (await view.source.storage.stat(seal, view.options)) {
    view.find(names.snapshot(tag, id), 'missing', `The snapshot ${id} was not copied: its manifest is missing in the source.`);
  }
}

/** From a source that may only be read a copy is made without pins: what a prune takes meanwhile is found out by the proof. */
async function pinWherePossible(view: CopyView, manifest: Manifest): Promise<Pin | undefined> {
  try {
    return await pinSnapshot(view.source, manifest, 'copy', view.signal);
  } catch (error) {
    if (isHoldfastError(error) && (error.code === 'storage/read-only' || error.code === 'storage/denied')) return undefined;
    throw error;
  }
}

/** What an earlier run had to leave incomplete, as far as it stands in the copy: it is proved again. */
export async function readFlawed(view: CopyView, flawed: Iterable<string>, add: (snapshot: DueSnapshot) => void): Promise<void> {
  const { storage, keyring } = view.target;
  await inLanes(flawed, RECORD_LANES, async (snapshot) => {
    const [tag = '', id = ''] = snapshot.split('/');
    try {
      const { manifest, sha256 } = await readManifest(storage, keyring, tag, lastSegment(id), view.signal);
      add({ tag, manifest, sha256, pin: undefined, known: true });
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    }
  });
}
