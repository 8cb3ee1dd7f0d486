import { Worker } from 'node:worker_threads';
import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';
import type { Storage } from '../storage/index.ts';
import { names } from './names.ts';
import type { FrameNeed, ReadJob, ReadReply, ReadRequest, ReadResult } from './readProtocol.ts';

const IN_FLIGHT = 2;

interface Batch {
  readonly frames: readonly FrameNeed[];
  resolve(results: readonly ReadResult[]): void;
  reject(error: unknown): void;
}

interface Lane {
  readonly worker: Worker;
  readonly batches: Map<number, Batch>;
}

/** Read workers. The main thread only reads sealed frames; opening, proving and writing happen in the workers. */
export class ReadPipeline {
  readonly #storage: Storage;
  readonly #idKey: Uint8Array;
  readonly #count: number;
  readonly #signal: AbortSignal | undefined;
  readonly #lanes: Lane[] = [];
  #batches = 0;
  #failure: unknown;
  #room: (() => void) | undefined;

  constructor(storage: Storage, idKey: Uint8Array, workers: number, signal?: AbortSignal) {
    this.#storage = storage;
    this.#idKey = idKey;
    this.#count = workers;
    this.#signal = signal;
  }

  /** Resolves when a worker can take a batch. At most one caller waits at a time. */
  async ready(): Promise<void> {
    while (!this.#failure && this.#lanes.length === this.#count && this.#freest().batches.size >= IN_FLIGHT) {
      await new Promise<void>((resolve) => { this.#room = resolve; });
    }
    this.#signal?.throwIfAborted();
    if (this.#failure) throw this.#failure;
  }

  /** Results in the order of the jobs; an item that is damaged has its own result, the others are not affected. */
  read(frames: readonly FrameNeed[], jobs: readonly ReadJob[]): Promise<readonly ReadResult[]> {
    if (this.#failure) return Promise.reject(this.#failure as Error);
    const lane = this.#laneForWork();
    const batch = ++this.#batches;
    return new Promise((resolve, reject) => {
      lane.batches.set(batch, { frames, resolve, reject });
      lane.worker.postMessage({ type: 'batch', batch, frames, jobs } satisfies ReadRequest);
    });
  }

  async close(): Promise<void> {
    this.#failure ??= new HoldfastError('repository/closed', 'never', 'The reader was closed.');
    await Promise.all(this.#lanes.map((lane) => lane.worker.terminate()));
  }

  #freest(): Lane {
    return this.#lanes.reduce((best, lane) => (lane.batches.size < best.batches.size ? lane : best));
  }

  #laneForWork(): Lane {
    if (this.#lanes.length === 0 || (this.#lanes.length < this.#count && this.#freest().batches.size > 0)) this.#start();
    return this.#freest();
  }

  #start(): void {
    const worker = new Worker(new URL('./readWorker.ts', import.meta.url), {
      workerData: { idKey: this.#idKey },
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 },
    });
    const lane: Lane = { worker, batches: new Map() };
    worker.on('message', (reply: ReadReply) => this.#receive(lane, reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', (code) => { if (lane.batches.size > 0) this.#fail(new Error(`a read worker ended with ${code}`)); });
    this.#lanes.push(lane);
  }

  #receive(lane: Lane, reply: ReadReply): void {
    if (reply.type === 'need') {
      this.#answer(lane, reply).catch((error: unknown) => this.#fail(error));
      return;
    }
    const batch = lane.batches.get(reply.batch);
    lane.batches.delete(reply.batch);
    if (reply.type === 'done') batch?.resolve(reply.results);
    else batch?.reject(new HoldfastError('repository/worker-failed', 'retry', reply.message));
    this.#room?.();
    this.#room = undefined;
  }

  async #answer(lane: Lane, reply: Extract<ReadReply, { type: 'need' }>): Promise<void> {
    const batch = lane.batches.get(reply.batch);
    if (!batch) return;
    const needs = reply.frames.map((index) => batch.frames[index] as FrameNeed);
    const ranges = await Promise.all(rangesOf(needs).map((range) => this.#read(range)));
    const sealed: (Uint8Array | { code: string; message: string })[] = [];
    for (const { range, bytes } of ranges) {
      for (const { position, need } of range.needs) {
        const at = need.offset - range.offset;
        sealed[position] = bytes instanceof Uint8Array ? bytes.subarray(at, at + need.length) : bytes;
      }
    }
    const transfer = ranges.flatMap(({ bytes }) => (bytes instanceof Uint8Array && ownsBuffer(bytes) ? [bytes.buffer as ArrayBuffer] : []));
    lane.worker.postMessage({ type: 'frames', question: reply.question, sealed } satisfies ReadRequest, transfer);
  }

  /** Only what says something of this one pack is given on; a storage that does not answer ends the restore. */
  async #read(range: FrameRange): Promise<{ range: FrameRange; bytes: Uint8Array | { code: string; message: string } }> {
    try {
      const { stream, pack, offset, end } = range;
      const bytes = await this.#storage.get(names.pack(stream, pack), {
        range: { offset, length: end - offset }, ...(this.#signal ? { signal: this.#signal } : {}),
      });
      return { range, bytes };
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
      return { range, bytes: { code: error.code, message: messageOf(error) } };
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= isHoldfastError(error) ? error : new HoldfastError('repository/worker-failed', 'retry',
      'A worker that reads the repository failed. Run the command again.', { cause: error });
    for (const lane of this.#lanes) {
      for (const batch of lane.batches.values()) batch.reject(this.#failure);
      lane.batches.clear();
    }
    this.#room?.();
    this.#room = undefined;
  }
}

/** Frames of one pack that lie close together: read in one request. */
interface FrameRange {
  readonly stream: string;
  readonly pack: string;
  readonly offset: number;
  end: number;
  readonly needs: { readonly position: number; readonly need: FrameNeed }[];
}

/** Bytes between two frames that are read along rather than asked for in two requests. */
const GAP = 64 * 1024;
const LONGEST = 8 * 1024 * 1024;

function rangesOf(needs: readonly FrameNeed[]): FrameRange[] {
  const sorted = needs.map((need, position) => ({ need, position }))
    .toSorted((a, b) => (a.need.pack === b.need.pack ? a.need.offset - b.need.offset : a.need.pack < b.need.pack ? -1 : 1));
  const ranges: FrameRange[] = [];
  for (const one of sorted) {
    const { stream, pack, offset, length } = one.need;
    const last = ranges.at(-1);
    if (last && last.pack === pack && offset - last.end <= GAP && offset + length - last.offset <= LONGEST) {
      last.end = Math.max(last.end, offset + length);
      last.needs.push(one);
    } else {
      ranges.push({ stream, pack, offset, end: offset + length, needs: [one] });
    }
  }
  return ranges;
}

function ownsBuffer(bytes: Uint8Array): boolean {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
}
