import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { copyEpochs } from './copyEpochs.ts';
import { readDue, readFlawed, listSeals, type DueSnapshot, type SealListing } from './copyDue.ts';
import { markerNames, putMarker, readMarker } from './copyMarker.ts';
import { PackCopier } from './copyPacks.ts';
import { countMissing, type EntityDue } from './copyProof.ts';
import { copyRecord, copyRecords } from './copyRecords.ts';
import { copyManifests } from './copySegments.ts';
import { copyKeys, prepareTarget } from './copyTarget.ts';
import type { CopyFinding, CopyView } from './copyView.ts';
import { DoomedList } from './doomed.ts';
import { names, SHARED } from './names.ts';
import { mirrorRemovals, type PruneResult } from './prune.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import { indexStrayPacks } from './strayPacks.ts';
import { streamKeys } from './streams.ts';

/** Looks for packs that a prune of the source made while they were copied; each is another finished prune. */
const ROUNDS = 5;

export interface CopyResult {
  /** Snapshots that this run brought, and that the copy has of the source now. */
  readonly snapshotsCopied: number;
  readonly snapshots: number;
  /** Objects that were put, packs among them, and their bytes. */
  readonly objects: number;
  readonly packs: number;
  readonly bytes: number;
  readonly bytesReadBack: number;
  /** What is not in the copy as it should be in the source; `findingCount` where they are more than are named. */
  readonly findings: readonly CopyFinding[];
  readonly findingCount: number;
  /** What was removed from the copy, where that was asked for. */
  readonly pruned: PruneResult | undefined;
}

/** One run of `copy`, step by step as in docs/format/copy.md. */
export class CopyRun {
  readonly #view: CopyView;
  readonly #prune: boolean;
  readonly #flawed = new Map<string, number>();
  /** Marks that this run takes away at its end: those that it found and its own. */
  #markers = new Set<string>();

  constructor(view: CopyView, prune: boolean) {
    this.#view = view;
    this.#prune = prune;
  }

  async run(): Promise<CopyResult> {
    const view = this.#view;
    await prepareTarget(view);
    await copyKeys(view, this.#prune);
    await copyEpochs(view);
    const listing = await listSeals(view);
    // After the seals: what is missing of a sealed snapshot was noted before its seal.
    this.#markers = await markerNames(view.target, view.signal);
    const known = await this.#known();
    const tags = await copyRecords(view, 'entities/');
    await copyRecords(view, 'settings/');
    const due: DueSnapshot[] = [];
    await using packs = new PackCopier(view, tags);
    let indexed: number;
    try {
      await readFlawed(view, known.flawed, (snapshot) => due.push(snapshot));
      await readDue(view, listing.due, (snapshot) => due.push(snapshot));
      indexed = await this.#packs(packs, known.packs, tags);
      await copyRecords(view, 'removals/');
      if (due.length > 0) await this.#snapshots(packs, due, listing);
    } finally {
      for (const { pin } of due) await pin?.release();
    }
    const pruned = this.#prune ? await this.#mirror(listing) : undefined;
    const rewritten = pruned !== undefined && pruned.packsRewritten > 0;
    await this.#mark(rewritten ? null : indexed + packs.indexed - (pruned?.packsDeleted ?? 0));
    return this.#result(listing, pruned);
  }

  /** The number of packs counts only where one run told it: of several at once one may have been killed after another's end. */
  async #known(): Promise<{ packs: number | null; flawed: Set<string> }> {
    const flawed = new Set<string>();
    let packs: number | null = null;
    for (const name of this.#markers) {
      const marker = await readMarker(this.#view.target, name, this.#view.signal);
      for (const snapshot of Object.keys(marker?.flawed ?? {})) flawed.add(snapshot);
      if (this.#markers.size === 1) packs = marker?.packs ?? null;
    }
    return { packs, flawed };
  }

  /** @returns how many packs of the copy its index knew before this run put any. */
  async #packs(packs: PackCopier, known: number | null, tags: ReadonlySet<string>): Promise<number> {
    const survey = await packs.survey();
    // As many as were indexed are those that were indexed: packs come after the mark was put, and go only under another one.
    if (survey.standing !== known) await this.#indexStrays([SHARED, ...tags]);
    this.#view.expect(survey.missing, survey.bytes);
    if (survey.missing > 0) await packs.copyMissing();
    return survey.standing;
  }

  /** What a killed run put and did not index. */
  async #indexStrays(streams: readonly string[]): Promise<void> {
    const { target, signal } = this.#view;
    const doomed = await DoomedList.load(target.storage, target.keyring, signal);
    const keys = streamKeys(target);
    for (const stream of streams) {
      const index = await StreamIndex.loadReadable(target, stream, signal);
      try {
        await indexStrayPacks(target, index, await keys(stream, signal), doomed, signal);
        await index.compact(signal);
      } finally {
        index.close();
      }
    }
  }

  async #snapshots(packs: PackCopier, due: readonly DueSnapshot[], { copied }: SealListing): Promise<void> {
    const view = this.#view;
    const entities: EntityDue[] = [];
    const byTag = Map.groupBy(due.toSorted((a, b) => (a.manifest.id < b.manifest.id ? -1 : 1)), ({ tag }) => tag);
    const flawed = new Set(due.filter((one) => one.known).map(({ tag, manifest }) => `${tag}/${manifest.id}`));
    for (const [tag, own] of byTag) {
      const snapshots = await copyManifests(view, tag, own);
      entities.push({ tag, snapshots, whole: (one) => copied.has(one) && !flawed.has(one) });
    }
    await this.#noteFlawed(await this.#proved(packs, entities));
    for (const { snapshots } of entities) for (const snapshot of snapshots) await this.#seal(snapshot);
    await this.#compact([SHARED, ...byTag.keys()]);
  }

  /** Blobs that are still missing when looking again brings no new pack. */
  async #proved(packs: PackCopier, entities: readonly EntityDue[]): Promise<Map<DueSnapshot, number>> {
    let missing = await countMissing(this.#view, entities);
    for (let round = 1; missing.size > 0 && round < ROUNDS; round++) {
      if ((await packs.copyMissing(true)) === 0) break;
      missing = await countMissing(this.#view, entities);
    }
    return missing;
  }

  /** Names what is missing, and keeps it in a mark before the seals: a later run must not take such a snapshot for whole. */
  async #noteFlawed(missing: ReadonlyMap<DueSnapshot, number>): Promise<void> {
    const view = this.#view;
    for (const [{ tag, manifest, known }, count] of missing) {
      const name = names.snapshot(tag, manifest.id);
      // Without a pin a prune may have taken it: then nothing is missing that the source still has.
      if (!known && !(await view.source.storage.stat(name, view.options))) continue;
      this.#flawed.set(`${tag}/${manifest.id}`, count);
      view.find(name, 'incomplete', `${count} pieces of data of this snapshot are not in the copy, since the source has them damaged or not at all. `
        + `'holdfast check --read-data' names the items.`);
    }
    if (this.#flawed.size > 0) this.#markers.add(await this.#putMarker(null));
  }

  async #seal({ tag, manifest, known }: DueSnapshot): Promise<void> {
    const view = this.#view;
    if (known || !(await this.#copySeal(names.seal(tag, manifest.id)))) return;
    const voids = await view.target.storage.list(names.voids(tag, manifest.id), { limit: 1, ...view.options });
    const stands = await view.target.storage.stat(names.snapshot(tag, manifest.id), view.options);
    if (voids.objects.length > 0 || !stands) throw prunedUnderRun();
    view.counts.snapshots++;
  }

  async #copySeal(name: string): Promise<boolean> {
    try {
      return await copyRecord(this.#view, name);
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
      return false;
    }
  }

  /** Each run puts a segment or two of its own: many small ones are merged. */
  async #compact(streams: readonly string[]): Promise<void> {
    for (const stream of streams) {
      const index = await StreamIndex.loadReadable(this.#view.target, stream, this.#view.signal);
      try {
        await index.compact(this.#view.signal);
      } finally {
        index.close();
      }
    }
  }

  /** The old marks go first: while packs go, their number tells nothing. */
  async #mirror(listing: SealListing): Promise<PruneResult | undefined> {
    const view = this.#view;
    const name = await this.#putMarker(null);
    await this.#dropMarkers();
    this.#markers.add(name);
    try {
      return await mirrorRemovals(view.target, view.source, (snapshot) => !listing.removed.has(snapshot), view.options);
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'repository/prune-refused') throw error;
      view.find('copies/', 'not-pruned', error.message);
      return undefined;
    }
  }

  /** The last thing: it says that all before it is done. */
  async #mark(packs: number | null): Promise<void> {
    const { target, signal } = this.#view;
    if ((await markerNames(target, signal)).size === 0) {
      throw new HoldfastError('copy/detached', 'input',
        `The copy at ${target.storage.location} was made independent while it was copied to. All of this run was copied; there can be no further one.`);
    }
    await this.#putMarker(packs);
    await this.#dropMarkers();
  }

  #putMarker(packs: number | null): Promise<string> {
    const { source, target, signal } = this.#view;
    return putMarker(target, { of: source.storage.location, packs, flawed: Object.fromEntries(this.#flawed) }, signal);
  }

  async #dropMarkers(): Promise<void> {
    for (const name of this.#markers) await this.#view.target.storage.delete(name, this.#view.options);
    this.#markers.clear();
  }

  #result({ copied }: SealListing, pruned: PruneResult | undefined): CopyResult {
    const { objects, packs, snapshots, bytes, bytesReadBack, findings } = this.#view.counts;
    return {
      snapshotsCopied: snapshots, snapshots: copied.size + snapshots - (pruned?.snapshotsRemoved ?? 0),
      objects, packs, bytes, bytesReadBack, findings: this.#view.findings, findingCount: findings, pruned,
    };
  }
}
