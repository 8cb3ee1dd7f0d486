import { isHoldfastError, messageOf, type BinaryString, type ItemRow } from '../domain/index.ts';
import { BlobReader, type BlobPlace } from './blobReader.ts';
import type { EntityRecord } from './entityKeys.ts';
import { frameBytes } from './frame.ts';
import { SHARED } from './names.ts';
import { decodeRecipe, type Op } from './recipe.ts';
import { ReadPipeline } from './readPipeline.ts';
import type { FileTarget, FrameNeed, PlacedOp, ReadJob, ReadResult } from './readProtocol.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { storedParts, type StoredPart } from './storedParts.ts';

/** An item to read, and the file to write it to; without one its bytes are given back. */
export interface ItemRequest {
  readonly row: Pick<ItemRow, 'content' | 'size'>;
  readonly target?: FileTarget;
}

/**
 * Bytes of the frames, opened, that one message to a worker asks for: small items may each lie in another frame, and the
 * sealed bytes of all frames of a message are held at once, in this thread and in the worker.
 */
const PART_BYTES = 32 * 1024 * 1024;
/** An item that alone needs more: like one that did not come, it is left to be read one by one, with few frames held. */
const SCATTERED = 64 * 1024 * 1024;

/**
 * Reads many items at once, frame by frame: each batch is planned so that a frame is fetched and opened once,
 * whatever the order of the items, unless the batch needs more frames than may be held at once. Items that do not come this way (a pack moved by a prune) are tried one by one.
 */
export class ItemReader {
  readonly #blobs: BlobReader;
  readonly #pipeline: ReadPipeline;
  readonly #context: RepositoryContext;
  readonly #entity: EntityRecord;
  readonly #signal: AbortSignal | undefined;

  constructor(context: RepositoryContext, entity: EntityRecord, workers: number, signal?: AbortSignal) {
    this.#context = context;
    this.#entity = entity;
    this.#signal = signal;
    this.#blobs = new BlobReader(context, entity);
    this.#pipeline = new ReadPipeline(context.storage, context.keyring.idKey, workers, signal);
  }

  /** Content in pieces, for items too large for one message to a worker. */
  content(row: Pick<ItemRow, 'content' | 'size'>): AsyncGenerator<Buffer> {
    return this.#blobs.content(row, this.#signal);
  }

  /** What a content is made of, for who wants only some of it. */
  parts(row: Pick<ItemRow, 'content' | 'size'>): Promise<readonly StoredPart[]> {
    return storedParts(this.#blobs, row, this.#signal);
  }

  /** Waits for a worker, then reads the batch: results in the order of the requests. */
  async read(requests: readonly ItemRequest[]): Promise<{ results: Promise<readonly ReadResult[]> }> {
    const parts: Promise<readonly ReadResult[]>[] = [];
    let plan = this.#plan();
    let jobs: (ReadJob | ReadResult)[] = [];
    for (const request of requests) {
      jobs.push(await plan.job(request));
      if (plan.bytes < PART_BYTES) continue;
      await this.#start(plan, jobs, parts);
      plan = this.#plan();
      jobs = [];
    }
    if (jobs.length > 0) await this.#start(plan, jobs, parts);
    const results = Promise.all(parts).then((all) => all.flat());
    return { results };
  }

  #plan(): BatchPlan {
    return new BatchPlan(this.#context, this.#entity, this.#blobs, this.#signal);
  }

  /** Waits for a worker, hands it the part and adds its results to `parts`. */
  async #start(plan: BatchPlan, jobs: readonly (ReadJob | ReadResult)[], parts: Promise<readonly ReadResult[]>[]): Promise<void> {
    const work = jobs.filter((job): job is ReadJob => 'ops' in job);
    await this.#pipeline.ready();
    const running = this.#pipeline.read(plan.frames, work).then((results) => {
      let next = 0;
      return jobs.map((job) => ('ops' in job ? (results[next++] as ReadResult) : job));
    });
    // A failure while the next part waits for a worker: `ready` throws it then.
    running.catch(() => undefined);
    parts.push(running);
  }

  async close(): Promise<void> {
    await this.#pipeline.close();
    await this.#blobs.close();
  }
}

/** Which frames a batch needs, each once, and where in them its items' blobs are. */
class BatchPlan {
  readonly frames: FrameNeed[] = [];
  /** What the frames give when opened. */
  bytes = 0;
  /** By pack and offset. */
  readonly #numbers = new Map<string, Map<number, number>>();
  readonly #context: RepositoryContext;
  readonly #entity: EntityRecord;
  readonly #blobs: BlobReader;
  readonly #signal: AbortSignal | undefined;

  constructor(context: RepositoryContext, entity: EntityRecord, blobs: BlobReader, signal?: AbortSignal) {
    this.#context = context;
    this.#entity = entity;
    this.#blobs = blobs;
    this.#signal = signal;
  }

  async job(request: ItemRequest): Promise<ReadJob | ReadResult> {
    const frames = this.frames.length;
    const bytes = this.bytes;
    try {
      const job = await this.#job(request);
      if (this.bytes - bytes <= SCATTERED) return job;
      for (const { pack, offset } of this.frames.splice(frames)) this.#numbers.get(pack)?.delete(offset);
      this.bytes = bytes;
      return { code: 'repository/scattered', message: 'Its data is spread over more frames than are held at once.' };
    } catch (error) {
      if (!isHoldfastError(error) || error.retryClass !== 'never') throw error;
      return { code: error.code, message: messageOf(error) };
    }
  }

  async #job({ row, target }: ItemRequest): Promise<ReadJob> {
    const recipe = decodeRecipe(row.content);
    if (recipe.type === 'empty') return { ops: [], proof: { empty: true }, target };
    if (recipe.type === 'blob') {
      const ops = [await this.#op({ blobs: [{ id: recipe.id, length: row.size }] })];
      return { ops, proof: { id: recipe.id }, target };
    }
    const ops: PlacedOp[] = [];
    for (const op of await this.#blobs.ops(recipe, this.#signal)) ops.push(await this.#op(op));
    return { ops, proof: { sha256: recipe.sha256 }, target };
  }

  async #op(op: Op): Promise<PlacedOp> {
    const blobs: number[] = [];
    for (const ref of op.blobs) {
      const place = this.#blobs.placeNow(ref.id) ?? await this.#place(ref.id);
      blobs.push(this.#known(place) ?? await this.#frame(place), place.offset, place.length);
    }
    return op.base64 ? { blobs, base64: op.base64 } : { blobs };
  }

  async #place(id: BinaryString): Promise<BlobPlace> {
    return (await this.#blobs.place(id)) ?? this.#blobs.lookAgain(id, this.#signal);
  }

  /** The frame's number where an item before needed it, too. */
  #known({ pack, frame }: BlobPlace): number | undefined {
    return this.#numbers.get(pack)?.get(frame.offset);
  }

  async #frame({ stream, pack, frame }: BlobPlace): Promise<number> {
    const key = stream === SHARED ? await this.#sharedKey(pack) : this.#entity.packKey;
    const number = this.frames.push({ key, stream, pack, ...frame }) - 1;
    const numbers = this.#numbers.get(pack);
    if (numbers) numbers.set(frame.offset, number);
    else this.#numbers.set(pack, new Map([[frame.offset, number]]));
    this.bytes += frameBytes(frame.plainLength);
    return number;
  }

  async #sharedKey(pack: string): Promise<Uint8Array> {
    const { keyring } = this.#context;
    return keyring.epochs === 1 ? keyring.sharedRaw : keyring.sharedRawOf(await this.#blobs.packEpoch(pack, this.#signal));
  }
}
