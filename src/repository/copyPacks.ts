import { isHoldfastError } from '../domain/index.ts';
import { StreamIndex } from './blobIndex.ts';
import { CheckPool } from './checkPool.ts';
import type { PackVerdict } from './checkProtocol.ts';
import { comparedListings, type Compared } from './comparedListings.ts';
import { openWhole } from './container.ts';
import type { CopyView } from './copyView.ts';
import { readEntity } from './entityKeys.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { inLanes } from './inLanes.ts';
import { lastSegment, SHARED } from './names.ts';
import { decodeDirectory, PACK_MAGIC, type PackFrame } from './pack.ts';
import { isUnreadable, readHeader } from './sealedObject.ts';
import { sealingKeyOf } from './sealingKeys.ts';
import { streamOf } from './streams.ts';
import { waitingObjects } from './waitingObjects.ts';

/** Packs in work at once: each is in memory twice, here and in the worker that proves it. */
const LANES = 3;
/** Blobs after which what was put is indexed; about 100 bytes of memory each. */
const INDEX_BLOBS = 200_000;

/** What stands of the packs on both sides. */
export interface PackSurvey {
  /** Packs of the source that the copy lacks, or has in another size, and their bytes. */
  readonly missing: number;
  readonly bytes: number;
  /** Packs that stand in the copy. */
  readonly standing: number;
}

/** Copies packs as they are: read, proved with its key, put, read back, indexed anew from what it says of itself. */
export class PackCopier implements AsyncDisposable {
  readonly #view: CopyView;
  readonly #pool: CheckPool;
  /** Raw keys by stream; undefined where they cannot be read, or the entity came after this copy began. */
  readonly #keys = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #tags: ReadonlySet<string>;
  readonly #damaged = new Set<string>();
  /** Full names of packs of the source of which nothing should be needed. */
  #waiting: ReadonlySet<string> = new Set();
  #pending = new Map<string, IndexedPack[]>();
  #pendingBlobs = 0;
  #pendingPacks = 0;
  /** Packs that were put and indexed, without those that went over another. */
  indexed = 0;

  /** @param tags entities whose records stand in the copy. */
  constructor(view: CopyView, tags: ReadonlySet<string>) {
    this.#view = view;
    this.#tags = tags;
    this.#pool = new CheckPool(view.source.keyring.idKey, 2);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.close();
  }

  async survey(): Promise<PackSurvey> {
    this.#waiting = await waitingObjects(this.#view.source, this.#view.signal);
    let missing = 0;
    let bytes = 0;
    let standing = 0;
    for await (const pack of this.#listings()) {
      if (pack.target) standing++;
      if (!pack.source || !this.#isDue(pack)) continue;
      missing++;
      bytes += pack.source.size;
    }
    return { missing, bytes, standing };
  }

  /**
   * Puts all that is missing, then its index, without what the source only keeps until its locks end.
   * @param waitingToo that as well: something is missing.
   * @returns how many packs were put.
   */
  async copyMissing(waitingToo = false): Promise<number> {
    if (waitingToo) this.#waiting = new Set();
    const before = this.#view.counts.packs;
    await inLanes(this.#due(), LANES, (pack) => this.#copy(pack));
    await this.#index();
    return this.#view.counts.packs - before;
  }

  async* #due(): AsyncGenerator<Compared> {
    for await (const pack of this.#listings()) if (this.#isDue(pack)) yield pack;
  }

  #listings(): AsyncGenerator<Compared> {
    const { source, target, signal } = this.#view;
    return comparedListings(source.storage, target.storage, 'packs/', signal);
  }

  /** A pack of another size is not what was put there: the sound one goes over it. */
  #isDue({ name, source, target }: Compared): boolean {
    const stream = streamOf(name);
    return source !== undefined && source.size !== target?.size && !this.#damaged.has(name) && !this.#waiting.has(name) && (stream === SHARED || this.#tags.has(stream));
  }

  async #copy({ name, target }: Compared): Promise<void> {
    const read = await this.#provedTwice(name);
    if (!read) return;
    await this.#view.put(name, read.bytes, false);
    if (target) this.#view.find(name, 'mended', `The pack had ${target.size} bytes in the copy; the whole one of the source was put over it.`);
    this.#view.counts.packs++;
    this.#view.tell();
    await this.#note(name, read.bytes.length, read.frames, target === undefined);
  }

  /** What a first read spoils a second one may give. A pack that a prune has deleted is nothing to tell: its blobs are elsewhere. */
  async #provedTwice(name: string): Promise<{ bytes: Uint8Array; frames: readonly PackFrame[] } | undefined> {
    const key = await this.#keyOf(streamOf(name));
    if (key === 'lost') {
      this.#leaveOut(name, 'no-key', 'The pack cannot be proved, since the record with its key cannot be read. It was not copied.');
      return undefined;
    }
    let why = '';
    for (let attempt = 0; attempt < 2; attempt++) {
      let bytes: Uint8Array;
      try {
        bytes = await this.#view.get(name);
      } catch (error) {
        if (isHoldfastError(error) && error.code === 'storage/not-found') return undefined;
        throw error;
      }
      const proof = await this.#prove(name, bytes, key);
      if (Array.isArray(proof)) return { bytes, frames: proof };
      why = proof;
    }
    this.#leaveOut(name, 'damaged', `The pack is damaged in the source and was not copied: ${why}.`);
    return undefined;
  }

  #leaveOut(name: string, code: string, message: string): void {
    this.#damaged.add(name);
    this.#view.find(name, code, message);
  }

  /** @returns its frames, or what is wrong. */
  async #prove(name: string, bytes: Uint8Array, entityKey: Uint8Array | undefined): Promise<PackFrame[] | string> {
    try {
      const epoch = readHeader(bytes, PACK_MAGIC, name);
      const key = entityKey ?? this.#view.source.keyring.sharedRawOf(epoch);
      // The worker takes over what it is given; these bytes are still to be put.
      const verdict = await this.#pool.prove({ name, bytes: Uint8Array.from(bytes), key, expected: undefined });
      const bad = faultOf(verdict);
      if (bad !== undefined) return bad;
      return decodeDirectory(name, openWhole(name, bytes, PACK_MAGIC, () => sealingKeyOf(key)).directory);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return 'its header is not one that this key can open';
    }
  }

  /** The raw key of an entity's packs; undefined for the shared ones, whose epoch stands in each. */
  async #keyOf(stream: string): Promise<Uint8Array | undefined | 'lost'> {
    if (stream === SHARED) return undefined;
    const { storage, keyring } = this.#view.source;
    let key = this.#keys.get(stream);
    if (!key) {
      key = readEntity(storage, keyring, stream, this.#view.signal).then(({ packKey }) => packKey, (error: unknown) => {
        if (!isUnreadable(error) && !(isHoldfastError(error) && error.code === 'storage/not-found')) throw error;
        return undefined;
      });
      this.#keys.set(stream, key);
    }
    return await key ?? 'lost';
  }

  async #note(name: string, size: number, frames: readonly PackFrame[], added: boolean): Promise<void> {
    const stream = streamOf(name);
    const packs = this.#pending.get(stream) ?? [];
    this.#pending.set(stream, packs);
    packs.push({ id: lastSegment(name), size, frames });
    if (added) this.#pendingPacks++;
    this.#pendingBlobs += frames.reduce((sum, frame) => sum + frame.lengths.length, 0);
    if (this.#pendingBlobs >= INDEX_BLOBS) await this.#index();
  }

  /** The copy has an index of its own: what the source's replaces may still be needed here. */
  async #index(): Promise<void> {
    const pending = this.#pending;
    const packs = this.#pendingPacks;
    this.#pending = new Map();
    this.#pendingBlobs = 0;
    this.#pendingPacks = 0;
    for (const [stream, added] of pending) await StreamIndex.add(this.#view.target, stream, added, this.#view.signal);
    this.indexed += packs;
  }
}

function faultOf({ badFrames, badBlobs, damage }: PackVerdict): string | undefined {
  if (badFrames.length + badBlobs.length > 0) return `${badFrames.length} of its frames and ${badBlobs.length} single pieces of it are not what was written`;
  return damage;
}

