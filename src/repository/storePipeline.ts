import { HoldfastError } from '../domain/index.ts';
import type { SealedFrame } from './frame.ts';
import type { ContentJob, ContentResult, StoreReply, StoreRequest, StoreWorkerData } from './storeProtocol.ts';
import { WorkerLanes, type Lane } from './workerLanes.ts';

/** Where the pipeline's output goes: the owner of index and packs. */
export interface PipelineSink {
  /** 1 for each of the ids (24 bytes each) that nobody has stored or claimed; those are claimed by the answer. */
  claim(ids: Uint8Array): Promise<Uint8Array>;
  frame(stream: number, frame: SealedFrame): void;
}

/** Batches of half a megabyte at most: what an ordinary day brings is stored before a second worker has started. */
const ALONE = 32;

/** Small young generation: most of what a store worker leaves behind are buffers that should go early. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

/**
 * Store workers, started when the first content comes. Contents of a batch stay in their worker; only ids, recipes and
 * sealed frames cross threads. A worker that dies fails every batch it held: nothing was sealed, so nothing is lost.
 */
export class StorePipeline {
  readonly #sink: PipelineSink;
  readonly #lanes: WorkerLanes<StoreReply, readonly ContentResult[]>;
  #batches = 0;

  constructor(data: StoreWorkerData, sink: PipelineSink, workers: number) {
    this.#sink = sink;
    this.#lanes = new WorkerLanes({
      entry: new URL('./storeWorker.ts', import.meta.url), workerData: data, count: workers, limits: LIMITS, alone: ALONE,
      lost: { retryClass: 'resume', message: 'A worker of the store failed. Nothing that was sealed is affected; run the backup again.' },
      receive: (lane, reply) => this.#receive(lane, reply),
    });
  }

  /** Resolves when a worker can take a batch. At most one caller waits at a time. */
  ready(): Promise<void> {
    return this.#lanes.ready();
  }

  /** Results in the order of the jobs. Their blobs are in packs only after `flush` and the packs' put. */
  store(jobs: readonly ContentJob[]): Promise<readonly ContentResult[]> {
    const transfer = jobs.flatMap((job) => ('bytes' in job.source ? [job.source.bytes.buffer] : []));
    const batch = ++this.#batches;
    return this.#lanes.give(batch, { type: 'batch', batch, jobs } satisfies StoreRequest, transfer);
  }

  /** All workers emit the frames that they were still filling. */
  async flush(): Promise<void> {
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
