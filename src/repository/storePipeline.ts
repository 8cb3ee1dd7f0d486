import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { ContentProcessor } from './contentProcessor.ts';
import type { SealedFrame } from './frame.ts';
import type { ContentJob, ContentResult, StoreReply, StoreRequest, StoreWorkerData } from './storeProtocol.ts';
import { WorkerLanes, type Lane } from './workerLanes.ts';

/** Where the pipeline's output goes: the owner of index and packs. */
export interface PipelineSink {
  /** 1 for each of the ids (24 bytes each) that nobody has stored or claimed; those are claimed by the answer. */
  claim(ids: Uint8Array): Promise<Uint8Array>;
  frame(stream: number, frame: SealedFrame): void;
}

/** Batches of half a megabyte at most: what an ordinary day brings is stored by the calling thread. Starting a worker costs as much CPU as ten megabytes. */
const NEAR = 32;
/** Larger files would keep the calling thread for too long at a time. */
const NEAR_BYTES = 4 * 1024 * 1024;
/** Batches before a second worker is started. */
const ALONE = 8;
const LOST = { retryClass: 'resume', message: 'A worker of the store failed. Nothing that was sealed is affected; run the backup again.' } as const;

/** Small young generation: most of what a store worker leaves behind are buffers that should go early. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

/**
 * Store workers, started when more comes than an ordinary day brings: until then the calling thread does their work. Contents of a batch stay
 * in their thread; only ids, recipes and sealed frames cross threads. A worker that dies fails every batch it held: nothing was sealed, so
 * nothing is lost.
 */
export class StorePipeline {
  readonly #sink: PipelineSink;
  readonly #lanes: WorkerLanes<StoreReply, readonly ContentResult[]>;
  readonly #data: StoreWorkerData;
  #batches = 0;
  /** The calling thread's own. */
  #near: ContentProcessor | undefined;
  #nearBatches = 0;
  /** Settles, always well, when that has nothing to do. */
  #nearDone: Promise<unknown> = Promise.resolve();

  constructor(data: StoreWorkerData, sink: PipelineSink, workers: number) {
    this.#sink = sink;
    this.#data = data;
    this.#lanes = new WorkerLanes({
      entry: new URL('./storeWorker.ts', import.meta.url), workerData: data, count: workers, limits: LIMITS, alone: ALONE,
      lost: LOST,
      receive: (lane, reply) => this.#receive(lane, reply),
    });
  }

  /** Resolves when a batch can be taken. At most one caller waits at a time. */
  async ready(): Promise<void> {
    await this.#nearDone;
    if (this.#nearBatches >= NEAR) {
      this.#near?.flush();
      this.#near = undefined;
    }
    await this.#lanes.ready();
  }

  /** Results in the order of the jobs. Their blobs are in packs only after `flush` and the packs' put. */
  store(jobs: readonly ContentJob[]): Promise<readonly ContentResult[]> {
    if (this.#nearBatches < NEAR && jobs.every(({ size }) => size <= NEAR_BYTES)) {
      this.#nearBatches++;
      const results = this.#storeHere(jobs);
      this.#nearDone = results.catch(() => undefined);
      return results;
    }
    const transfer = jobs.flatMap((job) => ('bytes' in job.source ? [job.source.bytes.buffer] : []));
    const batch = ++this.#batches;
    return this.#lanes.give(batch, { type: 'batch', batch, jobs } satisfies StoreRequest, transfer);
  }

  async #storeHere(jobs: readonly ContentJob[]): Promise<readonly ContentResult[]> {
    this.#near ??= new ContentProcessor(this.#data, { ask: (ids) => this.#sink.claim(ids), emit: (stream, frame) => this.#sink.frame(stream, frame) });
    try {
      return await this.#near.batch(jobs);
    } catch (cause) {
      if (isHoldfastError(cause)) throw cause;
      throw new HoldfastError('repository/worker-failed', LOST.retryClass, LOST.message, { cause });
    }
  }

  /** All emit the frames that they were still filling. */
  async flush(): Promise<void> {
    this.#near?.flush();
    await Promise.all(this.#lanes.all.map((lane) => {
      const batch = ++this.#batches;
      return this.#lanes.send(lane, batch, { type: 'flush', batch } satisfies StoreRequest);
    }));
  }

  close(): Promise<void> {
    return this.#lanes.close();
  }

  #receive(lane: Lane<readonly ContentResult[]>, reply: StoreReply): void {
    if (reply.type === 'frame') {
      this.#sink.frame(reply.stream, reply.frame);
    } else if (reply.type === 'ask') {
      this.#sink.claim(reply.ids).then(
        (wanted) => lane.worker.postMessage({ type: 'verdict', question: reply.question, wanted } satisfies StoreRequest),
        (error: unknown) => this.#lanes.fail(error),
      );
    } else if (reply.type === 'done') {
      this.#lanes.settle(lane, reply.batch, { result: reply.results });
    } else {
      this.#lanes.settle(lane, reply.batch, { error: new HoldfastError(reply.code, 'resume', reply.message) });
    }
  }
}
