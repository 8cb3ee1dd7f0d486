import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';
import type { Storage } from '../storage/index.ts';
import { names } from './names.ts';
import type { FrameNeed, ReadJob, ReadReply, ReadRequest, ReadResult } from './readProtocol.ts';
import { WorkerLanes, type Lane } from './workerLanes.ts';

const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** Read workers. The main thread only reads sealed frames; opening, proving and writing happen in the workers. */
export class ReadPipeline {
  readonly #storage: Storage;
  readonly #signal: AbortSignal | undefined;
  readonly #lanes: WorkerLanes<ReadReply, readonly ReadResult[]>;
  /** The frames that each batch under way may ask for. */
  readonly #frames = new Map<number, readonly FrameNeed[]>();
  #batches = 0;

  constructor(storage: Storage, idKey: Uint8Array, workers: number, signal?: AbortSignal) {
    this.#storage = storage;
    this.#signal = signal;
    this.#lanes = new WorkerLanes({
      entry: new URL('./readWorker.ts', import.meta.url), workerData: { idKey }, count: workers, limits: LIMITS,
      lost: { retryClass: 'retry', message: 'A worker that reads the repository failed. Run the command again.' },
      receive: (lane, reply) => this.#receive(lane, reply),
    });
  }

  /** Resolves when a worker can take a batch. At most one caller waits at a time. */
  async ready(): Promise<void> {
    await this.#lanes.ready();
    this.#signal?.throwIfAborted();
  }

  /** Results in the order of the jobs; an item that is damaged has its own result, the others are not affected. */
  async read(frames: readonly FrameNeed[], jobs: readonly ReadJob[]): Promise<readonly ReadResult[]> {
    const batch = ++this.#batches;
    this.#frames.set(batch, frames);
    try {
      return await this.#lanes.give(batch, { type: 'batch', batch, frames, jobs } satisfies ReadRequest);
    } finally {
      this.#frames.delete(batch);
    }
  }

  close(): Promise<void> {
    return this.#lanes.close();
  }

  #receive(lane: Lane<readonly ReadResult[]>, reply: ReadReply): void {
    if (reply.type === 'need') {
      this.#answer(lane, reply).catch((error: unknown) => this.#lanes.fail(error));
    } else if (reply.type === 'done') {
      this.#lanes.settle(lane, reply.batch, { result: reply.results });
    } else {
      this.#lanes.settle(lane, reply.batch, { error: new HoldfastError('repository/worker-failed', 'retry', reply.message) });
    }
  }

  async #answer(lane: Lane<readonly ReadResult[]>, reply: Extract<ReadReply, { type: 'need' }>): Promise<void> {
    const frames = this.#frames.get(reply.batch);
    if (!frames) return;
    const needs = reply.frames.map((index) => frames[index] as FrameNeed);
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
