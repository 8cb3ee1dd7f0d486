import { isHoldfastError, HoldfastError, type BinaryString, type ItemRow } from '../domain/index.ts';
import { BlobNamer } from './blobId.ts';
import { StreamIndex } from './blobIndex.ts';
import { encodeBase64Lines, encodedLength } from './base64Lines.ts';
import type { EntityRecord } from './entityKeys.ts';
import { openFrame } from './frame.ts';
import type { BlobLocation } from './indexFile.ts';
import { names, SHARED } from './names.ts';
import { decodeOps, decodeRecipe, ID_LENGTH, type BlobRef, type Op, type Recipe } from './recipe.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { damaged, HEADER_LENGTH, readHeader, isUnreadable } from './sealedObject.ts';
import { PACK_MAGIC } from './pack.ts';
import type { SealingKey } from './xaes.ts';

/** Opened frames kept by one reader, about a megabyte each: a large file after twenty versions has its bytes in as many as that, in turns. */
const CACHED_FRAMES = 96;

/** Fresh indexes with nothing new in them, after which a reader looks for no more missing blobs in another one. */
const MOST_RELOADS = 3;

export interface BlobPlace extends BlobLocation {
  readonly stream: string;
}

/** Finds and reads blobs of one entity. Every blob's id is checked against its bytes before they are given out. */
export class BlobReader {
  readonly #context: RepositoryContext;
  readonly #entity: EntityRecord;
  readonly #namer: BlobNamer;
  readonly #frames = new Map<string, Promise<Buffer>>();
  readonly #epochs = new Map<string, number>();
  #indexes: Promise<readonly StreamIndex[]> | undefined;
  /** The same, once they are open. */
  #opened: readonly StreamIndex[] = [];
  readonly #gone = new Set<string>();
  readonly #id = Buffer.alloc(ID_LENGTH);
  #reloaded = 0;

  constructor(context: RepositoryContext, entity: EntityRecord) {
    this.#context = context;
    this.#entity = entity;
    this.#namer = new BlobNamer(context.keyring.idKey);
  }

  async close(): Promise<void> {
    if (this.#indexes) for (const index of await this.#indexes) index.close();
  }

  #loadIndexes(): Promise<readonly StreamIndex[]> {
    return Promise.all([StreamIndex.loadReadable(this.#context, this.#entity), StreamIndex.loadReadable(this.#context, SHARED)]);
  }

  /** Where the blob is; undefined when no index knows it in a pack that is not known to be gone. */
  async place(id: BinaryString): Promise<BlobPlace | undefined> {
    this.#indexes ??= this.#loadIndexes();
    this.#opened = await this.#indexes;
    return this.placeNow(id);
  }

  /** As {@link place}, without waiting: undefined also while the indexes are not open. */
  placeNow(id: BinaryString): BlobPlace | undefined {
    this.#id.write(id, 0, 'latin1');
    for (const index of this.#opened) {
      const location = index.locate(this.#id, 0, this.#gone);
      if (location) return { ...location, stream: index.stream };
    }
    return undefined;
  }

  /** The blob's bytes. A missing pack makes it look once more in a fresh index: a prune may have moved the blob. */
  async blob(id: BinaryString, signal?: AbortSignal): Promise<Buffer> {
    const place = await this.place(id);
    if (!place) return this.#afterReload(id, missingBlob(), signal);
    try {
      return await this.#blobAt(id, place, signal);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      if (isUnreadable(error)) return this.#secondCopy(id, place, error, signal);
      if (error.code !== 'storage/not-found') throw error;
      this.#gone.add(place.pack);
      return this.#afterReload(id, error, signal);
    }
  }

  async #blobAt(id: BinaryString, place: BlobPlace, signal?: AbortSignal): Promise<Buffer> {
    const frame = await this.#frame(place, signal);
    const bytes = frame.subarray(place.offset, place.offset + place.length);
    if (bytes.length !== place.length || this.#namer.id(bytes) !== id) {
      throw damaged(names.pack(place.stream, place.pack), 'a blob in it is not the one that the index names');
    }
    return bytes;
  }

  /** Some blobs stand in two packs: two runs stored them at once, or a prune was killed while it moved them. */
  async #secondCopy(id: BinaryString, first: BlobPlace, error: unknown, signal?: AbortSignal): Promise<Buffer> {
    for (const index of (await this.#indexes) ?? []) {
      this.#id.write(id, 0, 'latin1');
      const other = index.locate(this.#id, 0, { has: (pack) => pack === first.pack || this.#gone.has(pack) });
      if (other) return this.#blobAt(id, { ...other, stream: index.stream }, signal);
    }
    throw error;
  }

  async #afterReload(id: BinaryString, error: unknown, signal?: AbortSignal): Promise<Buffer> {
    if (!(await this.#placeInFresh(id, signal))) throw error;
    // Each turn that names a new pack is one more finished prune.
    return this.blob(id, signal);
  }

  /** What the index at hand knows by now, else a freshly read one; only readings that bring nothing are bounded. */
  async #placeInFresh(id: BinaryString, signal?: AbortSignal): Promise<BlobPlace | undefined> {
    const known = await this.place(id);
    if (known || this.#reloaded >= MOST_RELOADS) return known;
    let changed = false;
    for (const index of (await this.#indexes) ?? []) if (await index.reload(signal)) changed = true;
    const place = await this.place(id);
    if (!place && !changed) this.#reloaded++;
    return place;
  }

  async #frame(place: BlobPlace, signal?: AbortSignal): Promise<Buffer> {
    const key = `${place.pack}/${place.frame.offset}`;
    const cached = this.#frames.get(key);
    if (cached) {
      this.#frames.delete(key);
      this.#frames.set(key, cached);
      return cached;
    }
    const reading = this.#read(place, signal);
    this.#frames.set(key, reading);
    if (this.#frames.size > CACHED_FRAMES) this.#frames.delete(this.#frames.keys().next().value ?? '');
    reading.catch(() => this.#frames.delete(key));
    return reading;
  }

  async #read(place: BlobPlace, signal?: AbortSignal): Promise<Buffer> {
    const name = names.pack(place.stream, place.pack);
    const sealed = await this.#context.storage.get(name, { range: place.frame, ...(signal ? { signal } : {}) });
    const key = await this.packKey(place.stream, place.pack, signal);
    try {
      return openFrame(sealed, place.frame.plainLength, key);
    } catch (error) {
      throw damaged(name, `the seal of its frame at ${place.frame.offset} does not hold`, error);
    }
  }

  /** The place in a freshly read index, for a blob that the one at hand does not know. Throws `repository/missing-blob`. */
  async lookAgain(id: BinaryString, signal?: AbortSignal): Promise<BlobPlace> {
    const place = await this.#placeInFresh(id, signal);
    if (!place) throw missingBlob();
    return place;
  }

  /** The key of a pack's frames. Its header says the epoch, and is read only where there are several. */
  async packKey(stream: string, pack: string, signal?: AbortSignal): Promise<SealingKey> {
    if (stream !== SHARED) return this.#entity.packs.key;
    const { keyring } = this.#context;
    return keyring.epochs === 1 ? keyring.shared.key : keyring.sharedOf(await this.packEpoch(pack, signal));
  }

  /** The key epoch that a shared pack names. */
  async packEpoch(pack: string, signal?: AbortSignal): Promise<number> {
    const known = this.#epochs.get(pack);
    if (known !== undefined) return known;
    const name = names.pack(SHARED, pack);
    const range = { offset: 0, length: HEADER_LENGTH };
    const header = await this.#context.storage.get(name, { range, ...(signal ? { signal } : {}) });
    const epoch = readHeader(header, PACK_MAGIC, name);
    this.#epochs.set(pack, epoch);
    return epoch;
  }

  /** The steps of a recipe; those that are kept in blobs are read. */
  async ops(recipe: Extract<Recipe, { ops: unknown }>, signal?: AbortSignal): Promise<readonly Op[]> {
    if (recipe.type === 'ops') return recipe.ops;
    const parts: Buffer[] = [];
    for (const ref of recipe.ops) parts.push(await this.blob(ref.id, signal));
    return decodeOps(Buffer.concat(parts).toString('latin1'));
  }

  /**
   * An item's content, in pieces of at most some megabytes; whatever is wrong throws before its last piece is given,
   * and the hash of the whole is checked at the end.
   */
  async* content(row: Pick<ItemRow, 'content' | 'size'>, signal?: AbortSignal): AsyncGenerator<Buffer> {
    if (row.content === '') throw new HoldfastError('repository/no-content', 'never', 'The item was not stored; its outcome says why.');
    const recipe = decodeRecipe(row.content);
    if (recipe.type === 'empty') return;
    if (recipe.type === 'blob') {
      yield await this.blob(recipe.id, signal);
      return;
    }
    const parts: Buffer[] = [];
    let waiting = 0;
    const { createHash } = await import('node:crypto');
    const whole = createHash('sha256');
    for (const op of await this.ops(recipe, signal)) {
      for await (const piece of this.#opPieces(op, signal)) {
        whole.update(piece);
        parts.push(piece);
        waiting += piece.length;
        if (waiting > 4 * 1024 * 1024) {
          yield Buffer.concat(parts.splice(0));
          waiting = 0;
        }
      }
    }
    if (whole.digest('binary') !== recipe.sha256) throw damaged('recipe', 'the whole item is not what was stored');
    if (parts.length > 0) yield Buffer.concat(parts);
  }

  /** The whole content in memory. Throws when it is longer than `limit` bytes. */
  async bytes(row: Pick<ItemRow, 'content' | 'size'>, limit: number, signal?: AbortSignal): Promise<Buffer> {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of this.content(row, signal)) {
      length += part.length;
      if (length > limit) throw new HoldfastError('repository/too-large', 'never', `The item has more than ${limit} bytes.`);
      parts.push(part);
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  async* #opPieces(op: Op, signal?: AbortSignal): AsyncGenerator<Buffer> {
    if (!op.base64) {
      for (const ref of op.blobs) yield await this.blob(ref.id, signal);
      return;
    }
    const decoded = Buffer.concat(await this.#all(op.blobs, signal));
    const target = Buffer.allocUnsafeSlow(encodedLength(decoded.length, op.base64));
    encodeBase64Lines(decoded, op.base64, target, 0);
    yield target;
  }

  async #all(refs: readonly BlobRef[], signal?: AbortSignal): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    for (const ref of refs) parts.push(await this.blob(ref.id, signal));
    return parts;
  }
}

function missingBlob(): HoldfastError {
  return new HoldfastError('repository/missing-blob', 'never',
    "Data of this item is not in the repository. Run 'holdfast check' to see what is affected, 'holdfast rebuild' if an index was lost.");
}
