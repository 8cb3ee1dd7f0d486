import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { DoomedList } from './doomed.ts';
import type { IdTable } from './idTable.ts';
import { inLanes } from './inLanes.ts';
import type { LockedTally } from './lockedTally.ts';
import { supersededIds, type Manifest, type ManifestRef } from './manifest.ts';
import { names } from './names.ts';
import { lockHere } from './openLocked.ts';
import { keptSnapshots, type PrunePolicy } from './prunePolicy.ts';
import type { ErasureNote, RemovedSnapshot } from './removals.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { readCheckpointRoot, readRootManifest, tagAndId, timeOfId, type Root, type RootNames } from './roots.ts';
import { isUnreadable, sealJson } from './sealedObject.ts';

/** Locks asked for at once. */
const LANES = 8;
const NOT_FOUND = new Set(['repository/missing-blob', 'storage/not-found']);

/** What a prune knows before it looks at one entity. */
export interface PruneView {
  readonly context: RepositoryContext;
  readonly policy: PrunePolicy;
  readonly names: RootNames;
  /** Full names of manifests. */
  readonly pinned: ReadonlySet<string>;
  /** Full names of manifests that a void names; listed after the seals, so that whoever put one before a seal is seen. */
  readonly voided: ReadonlySet<string>;
  /** What other pruners announced. */
  readonly others: DoomedList;
  /** Time-ordered id of this prune. */
  readonly pruner: string;
  readonly dryRun: boolean;
  /** In a copy: ids of the packs that the source has, which stay; and what another copy has not sealed yet is its own affair. */
  readonly mirrored: ReadonlySet<string> | undefined;
  /** What stays because it is locked. */
  readonly locked: LockedTally;
  /** Whether something made or written at this time (ms since 1970) is old enough to be looked at. */
  readonly ripe: (madeMs: number) => boolean;
  readonly signal: AbortSignal | undefined;
  /** Set where this is no prune by a policy, but the end of an erasure or of a removal of an entity. */
  readonly erasure?: ErasurePlan | undefined;
}

/** What is to go of one entity, whatever uses it: pins of it are swept away, unfinished runs are given up. */
export interface ErasurePlan {
  readonly tag: string;
  /** By id of the snapshot: false where it stays, else what stands for it (or nothing, where the entity goes). */
  readonly goes: (id: string) => false | { readonly by?: ManifestRef };
  /** Blobs that leave every pack, as far as nobody else needs them. */
  readonly ids: IdTable;
  /** The whole entity goes: its own packs too. */
  readonly whole: boolean;
  /** For the journal. */
  readonly note?: ErasureNote;
  /** Receives the full names of the index segments that it puts: nothing of what goes is in them. */
  readonly indexes?: Set<string>;
}

/** What stays and what goes of one entity. */
export interface EntityRoots {
  readonly tag: string;
  /** Sealed snapshots: what they need must be there. */
  readonly sealed: readonly Root[];
  /** Unfinished runs: what of theirs is there is kept. */
  readonly unfinished: readonly Root[];
  readonly removed: readonly RemovedSnapshot[];
  /** Full names of checkpoints that are given up. */
  readonly checkpoints: readonly string[];
  /** Voids that this prune has put. */
  readonly voids: readonly string[];
}

interface Known {
  readonly name: string;
  readonly manifest: Manifest;
  readonly sha256: string;
}

export async function entityRoots(view: PruneView, tag: string): Promise<EntityRoots> {
  const sealed: Known[] = [];
  const unsealed: Known[] = [];
  for (const name of under(view.names.manifests, names.snapshot(tag, ''))) {
    // Removed already, but for its locks.
    if (view.others.waiting.has(name)) continue;
    const stored = await readRootManifest(view.context, name, view.signal);
    if (!stored) continue;
    (view.names.seals.has(names.seal(tag, stored.manifest.id)) ? sealed : unsealed).push({ name, ...stored });
  }
  // Only sealed snapshots are built upon: one that is, and has no seal, has lost it.
  const builtUpon = new Set(sealed.map((known) => known.manifest.predecessor?.id));
  const plan = view.erasure?.tag === tag ? view.erasure : undefined;
  const idle = unsealed.filter(({ name, manifest }) => !view.mirrored
    && (plan || (view.ripe(timeOfId(manifest.id)) && !view.pinned.has(name))) && !builtUpon.has(manifest.id));
  // An erasure asks for locks before it deletes anything, and tells what they hold.
  const held = new Set(plan ? [] : await lockedOf(view, idle));
  const retired = await retire(view, idle.filter((known) => !held.has(known)), sealed);
  const left = unsealed.filter((known) => !retired.gone.includes(known) && !sealed.includes(known));
  const kept = keptOf(view, sealed);
  const wanted = ({ name, manifest }: Known): boolean =>
    (plan ? plan.goes(manifest.id) === false : kept.has(manifest.id) || view.pinned.has(name));
  if (!plan) for (const known of await lockedOf(view, sealed.filter((one) => !wanted(one)))) held.add(known);
  const stays = (known: Known): boolean => wanted(known) || held.has(known);
  const { live, given } = await checkpointRoots(view, tag);
  return {
    tag, voids: retired.voids, checkpoints: given,
    sealed: [...sealed.filter(stays), ...left.filter(({ manifest }) => builtUpon.has(manifest.id))].map(asRoot),
    unfinished: [...left.filter(({ manifest }) => !builtUpon.has(manifest.id)).map(asRoot), ...live],
    removed: [...sealed.filter((known) => !stays(known)), ...retired.gone]
      .map(({ manifest, sha256 }) => ({ tag, id: manifest.id, sha256, ...plan?.goes(manifest.id) })),
  };
}

/**
 * A voided snapshot may stay or go, as the pruner that voided it decides: what the policy keeps is kept with it and
 * also without it, or the two prunes together could take more than either may.
 */
function keptOf(view: PruneView, sealed: readonly Known[]): Set<string> {
  const now = view.context.clock.now();
  // What another one stands for counts for nothing and stays: an erasure has to find it once more.
  const superseded = supersededIds(sealed.map(({ manifest }) => manifest));
  const standing = sealed.filter(({ name, manifest }) => !view.others.has(name) && !superseded.has(manifest.id));
  const sure = standing.filter(({ name }) => !view.voided.has(name));
  const kept = [standing, sure].flatMap((known) => [...keptSnapshots(known.map(({ manifest }) => manifest), view.policy, now)]);
  // In a copy it goes when the source has removed it.
  const stays = (manifest: Manifest): boolean => !view.mirrored || view.policy.keep?.(manifest) !== false;
  const held = sealed.filter(({ name, manifest }) => superseded.has(manifest.id) && !view.others.has(name) && stays(manifest));
  return new Set([...kept, ...held.map(({ manifest }) => manifest.id)]);
}

/**
 * Those whose manifest or seal is locked: the snapshot stays, and with it all that it needs. What a manifest says of its lock in this place is
 * believed; only the others (in a copy all) are asked for.
 */
async function lockedOf(view: PruneView, snapshots: readonly Known[]): Promise<Known[]> {
  const locked = new Set<Known>();
  await inLanes(snapshots, LANES, async (known) => {
    const { tag, id } = known.manifest;
    const until = Date.parse((await lockHere(view.context, known.manifest, view.signal))?.until ?? '');
    const held = view.locked.believes('snapshot', until) || await view.locked.holds('snapshot', known.name, 0, view.signal)
      || await view.locked.holds('snapshot', names.seal(tag, id), 0, view.signal);
    if (held) locked.add(known);
  });
  return snapshots.filter((known) => locked.has(known));
}

function asRoot({ name, manifest }: Known): Root {
  return { name, layers: manifest.layers, ...(manifest.entityKeys ? { entityKeys: manifest.entityKeys } : {}) };
}

function under(all: Iterable<string>, prefix: string): string[] {
  return [...all].filter((name) => name.startsWith(prefix));
}

/**
 * PUT void, then look for the seal: one of the two, run or prune, always sees the other. A manifest that was sealed
 * after all joins `sealed`, and this prune's void is withdrawn.
 */
async function retire(view: PruneView, unsealed: readonly Known[], sealed: Known[]): Promise<{ gone: Known[]; voids: string[] }> {
  const gone: Known[] = [];
  const voids: string[] = [];
  const { storage, keyring, random } = view.context;
  const options = view.signal ? { signal: view.signal } : {};
  for (const known of unsealed) {
    const { tag, id } = known.manifest;
    if (view.dryRun) {
      gone.push(known);
      continue;
    }
    const name = names.void(tag, id, view.pruner);
    await storage.put(name, sealJson(name, { pruner: view.pruner }, keyring.meta, random), options);
    if (await storage.stat(names.seal(tag, id), options)) {
      await storage.delete(name, options);
      sealed.push(known);
    } else {
      voids.push(name);
      gone.push(known);
    }
  }
  return { gone, voids };
}

/** A checkpoint saves a run its work and nothing more: one that is old or damaged is given up without a question. */
async function checkpointRoots(view: PruneView, tag: string): Promise<{ live: Root[]; given: string[] }> {
  const live: Root[] = [];
  const given: string[] = [];
  for (const name of under(view.names.checkpoints, names.checkpoint(tag, ''))) {
    const root = await readCheckpointRoot(view.context, name, view.signal);
    if (!root) continue;
    if (root === 'damaged' || view.ripe(root.written) || view.erasure?.tag === tag) given.push(name);
    else live.push(root);
  }
  return { live, given };
}

/**
 * Seals whose manifests are gone. Removed on purpose they are left-overs; else data is missing, and nothing may be
 * deleted before a person has looked.
 */
export function strayClosings(view: PruneView, isRemoved: (tag: string, id: string) => boolean): string[] {
  return [...view.names.seals].filter((name) => {
    const { tag, id } = tagAndId(name);
    const manifest = names.snapshot(tag, id);
    if (view.names.manifests.has(manifest)) return false;
    if (!isRemoved(tag, id) && !view.others.has(manifest)) throw refused(`the snapshot ${manifest} is missing`);
    return true;
  });
}

/** @param why a clause without a full stop. */
export function refused(why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('repository/prune-refused', 'input',
    `Nothing was deleted: ${why}, so it is not known what is still needed. Run 'holdfast check' to see what is damaged.`, { cause });
}

/** What cannot be read ends a prune before anything is deleted. */
export async function orRefuse<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isHoldfastError(error) || !(isUnreadable(error) || NOT_FOUND.has(error.code))) throw error;
    throw refused(`${String(error.data['object'] ?? error.data['name'] ?? 'an object')} cannot be read`, error);
  }
}
