import type { Lock } from '../storage/index.ts';
import { DoomedList } from './doomed.ts';
import { hasKey, type EntityRecord } from './entityKeys.ts';
import { manifestBytes, sealBytes, type Manifest } from './manifest.ts';
import { names } from './names.ts';
import type { Pin } from './pin.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { rescueBlobs } from './rescueBlobs.ts';
import type { Layer } from './segment.ts';
import { missingPacks } from './standingPacks.ts';

/** Rounds of storing again after which a run gives up and starts anew. */
const ROUNDS = 5;

/** What a run adds to its predecessor, and what it took for granted. */
export interface CommitParts {
  /** Layers that no sealed snapshot names yet; their rows' blobs are stored again where a prune takes them. */
  readonly newLayers: readonly Layer[];
  /** Packs that the new rows rely on. */
  readonly reliedOn: ReadonlySet<string>;
  /** Some of these, which somebody has announced for deletion, and which are not locked for the snapshot: what is needed of them is stored again, whatever became of the word. */
  readonly left?: ReadonlySet<string> | undefined;
  /** On the predecessor, whose rows' blobs nobody looks at again. */
  readonly pin: Pin | undefined;
  /** Until when manifest and seal are to be locked; what they need is by then. */
  readonly lock?: Lock | undefined;
}

/**
 * The end of a run, in the order that makes it safe against any prune (docs/format, "Commit"):
 * PUT manifest → LIST doomed, store again what is doomed, until nothing is → look whether packs, segments and the pin stand
 * → PUT seal → look for a void → look whether the manifest stands.
 * The pruner writes its records before it lists the roots; so one of the two always sees the other.
 */
export class Commit {
  readonly #context: RepositoryContext;
  readonly #entity: EntityRecord;
  readonly #parts: CommitParts;
  /** Whether the seal may stand: the snapshot is no longer this run's alone. */
  sealed = false;
  /** Something was stored again in other packs. */
  rescued = false;

  constructor(context: RepositoryContext, entity: EntityRecord, parts: CommitParts) {
    this.#context = context;
    this.#entity = entity;
    this.#parts = parts;
  }

  async run(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    const { storage, keyring, random } = this.#context;
    const options = signal ? { signal } : {};
    const { parts, sha256 } = manifestBytes(manifest, keyring, random);
    const locked = { ...options, ...(this.#parts.lock && { lock: this.#parts.lock }) };
    await storage.put(names.snapshot(manifest.tag, manifest.id), parts, locked);
    await this.#rescue(manifest, signal);
    await this.#lookAtSegments(manifest, signal);
    // A run that began before the entity was removed would seal what nobody can open.
    if (!(await hasKey(storage, this.#entity, signal))) throw prunedUnderRun();
    if ((manifest.predecessor || manifest.replaces) && !(await this.#parts.pin?.held(signal))) throw prunedUnderRun();
    this.sealed = true;
    await storage.put(names.seal(manifest.tag, manifest.id), sealBytes(manifest.tag, manifest.id, sha256, keyring, random), locked);
    const voids = await storage.list(names.voids(manifest.tag, manifest.id), { limit: 1, ...options });
    if (voids.objects.length > 0) throw prunedUnderRun();
    if (!(await storage.stat(names.snapshot(manifest.tag, manifest.id), options))) throw prunedUnderRun();
  }

  async #rescue(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    const relied = new Set(this.#parts.reliedOn);
    for (let round = 0; round < ROUNDS; round++) {
      const doomed = await DoomedList.load(this.#context.storage, this.#context.keyring, signal);
      this.#refuseDoomedRecords(manifest, doomed);
      // Also where the word was taken back since: the lock of the pack may be too short.
      const packs = new Set([...doomed.packs, ...this.#parts.left ?? []]);
      const lost = [...relied].filter((pack) => packs.has(pack));
      if (lost.length === 0) {
        // A record goes once all that it names is gone: what is neither doomed nor there was deleted unseen.
        if ((await missingPacks(this.#context, this.#entity.tag, relied, signal)).size > 0) throw prunedUnderRun();
        return;
      }
      this.rescued = true;
      const standing = await rescueBlobs(this.#context, this.#entity, this.#parts.newLayers, { packs }, signal);
      for (const pack of lost) relied.delete(pack);
      for (const pack of standing) relied.add(pack);
    }
    throw prunedUnderRun();
  }

  /** This run's own records were announced for deletion: nothing here can be mended in place. */
  #refuseDoomedRecords(manifest: Manifest, doomed: DoomedList): void {
    const own = [names.snapshot(manifest.tag, manifest.id), ...this.#newSegments(manifest)];
    if (own.some((name) => doomed.has(name))) throw prunedUnderRun();
  }

  async #lookAtSegments(manifest: Manifest, signal?: AbortSignal): Promise<void> {
    for (const name of this.#newSegments(manifest)) {
      if (!(await this.#context.storage.stat(name, signal ? { signal } : {}))) throw prunedUnderRun();
    }
  }

  /** Those of the predecessor stand for as long as the pin does, even where a record names them until its pruner sees the pin. */
  #newSegments(manifest: Manifest): string[] {
    const pinned = new Set((manifest.predecessor ? this.#parts.pin?.manifest.layers ?? [] : []).flat().map((ref) => ref.id));
    return manifest.layers.flat().filter(({ id }) => !pinned.has(id)).map(({ id }) => names.segment(manifest.tag, id));
  }
}
