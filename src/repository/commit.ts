import { isHoldfastError } from '../domain/index.ts';
import { DoomedList } from './doomed.ts';
import type { EntityRecord } from './entityKeys.ts';
import { manifestBytes, sealBytes, type Manifest } from './manifest.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { rescueBlobs } from './rescueBlobs.ts';
import type { Layer } from './segment.ts';
import { prunedUnderRun } from './storeSession.ts';

/** Rounds of storing again after which a run gives up and starts anew. */
const ROUNDS = 5;

/**
 * The end of a run, in the order that makes it safe against any prune (docs/format, "Commit"):
 * PUT manifest → LIST doomed, void → store again what is doomed, until nothing is → PUT seal → look for void once more.
 * The pruner writes its records before it lists the roots; so one of the two always sees the other.
 */
export class Commit {
  readonly #context: RepositoryContext;
  readonly #seenAtStart: DoomedList;
  readonly #reliedOn: ReadonlySet<string>;
  readonly #entity: EntityRecord;

  constructor(context: RepositoryContext, seenAtStart: DoomedList, reliedOn: ReadonlySet<string>, entity: EntityRecord) {
    this.#context = context;
    this.#seenAtStart = seenAtStart;
    this.#reliedOn = reliedOn;
    this.#entity = entity;
  }

  async run(manifest: Manifest, newRows: Layer, signal?: AbortSignal): Promise<void> {
    const { storage, keyring, random } = this.#context;
    const options = signal ? { signal } : {};
    const { parts, sha256 } = manifestBytes(manifest, keyring, random);
    await storage.put(names.snapshot(manifest.tag, manifest.id), parts, options);
    await this.#rescue(manifest, newRows, signal);
    await this.#refuseVoid(manifest, signal);
    await storage.put(names.seal(manifest.tag, manifest.id), sealBytes(manifest.tag, manifest.id, sha256, keyring, random), options);
    await this.#refuseVoid(manifest, signal);
  }

  async #rescue(manifest: Manifest, newRows: Layer, signal?: AbortSignal): Promise<void> {
    const relied = new Set(this.#reliedOn);
    for (let round = 0; round < ROUNDS; round++) {
      const doomed = await DoomedList.load(this.#context.storage, this.#context.keyring, signal);
      this.#refuseDoomedRecords(manifest, doomed);
      const lost = [...relied].filter((pack) => doomed.packs.has(pack));
      if (lost.length === 0) {
        if (this.#mayHaveMissed(doomed)) await this.#statAll(relied, signal);
        return;
      }
      const stored = await rescueBlobs(this.#context, this.#entity, newRows, doomed, signal);
      for (const pack of lost) relied.delete(pack);
      for (const pack of stored) relied.add(pack);
    }
    throw prunedUnderRun();
  }

  /** The predecessor's or this run's own records were announced for deletion: nothing here can be mended in place. */
  #refuseDoomedRecords(manifest: Manifest, doomed: DoomedList): void {
    const own = [names.snapshot(manifest.tag, manifest.id)];
    if (manifest.predecessor) own.push(names.snapshot(manifest.tag, manifest.predecessor.id));
    const segments = manifest.layers.flat().map((ref) => names.segment(manifest.tag, ref.id));
    if ([...own, ...segments].some((name) => doomed.has(name))) throw prunedUnderRun();
  }

  /** Tombstones that came and went since this run read them can hide a deleted pack. */
  #mayHaveMissed(now: DoomedList): boolean {
    return now.records.size > 0 && now.oldest > this.#seenAtStart.newest && this.#seenAtStart.newest >= 0
      && (this.#seenAtStart.records.size > 0 || now.oldest > 1);
  }

  async #statAll(packs: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    const streams = [this.#entity.tag, 'shared'];
    for (const pack of packs) {
      const found = await Promise.all(streams.map((stream) => this.#context.storage.stat(names.pack(stream, pack), signal ? { signal } : {})));
      if (!found.some(Boolean)) throw prunedUnderRun();
    }
  }

  async #refuseVoid(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    const found = await this.#context.storage.stat(names.void(manifest.tag, manifest.id), signal ? { signal } : {});
    if (found) throw prunedUnderRun();
  }
}

/** True for errors after which the same run may be started again at once. */
export function isPrunedUnderRun(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'repository/pruned-under-run';
}
