import { Worker } from 'node:worker_threads';
import { HoldfastError } from '../domain/index.ts';
import type { SealedFrame } from './frame.ts';
import type { ContentJob, ContentResult, StoreReply, StoreRequest, StoreWorkerData } from './storeProtocol.ts';

/** Where the pipeline's output goes: the owner of index and packs. */
export interface PipelineSink {
  /** 1 for each of the ids (24 bytes each) that nobody has stored or claimed; those are claimed by the answer. */
  claim(ids: Uint8Array): Promise<Uint8Array>;
  frame(stream: number, frame: SealedFrame): void;
}

/** Batches that one worker holds at a time: while one waits for the index, the next is read. */
const IN_FLIGHT = 2;

interface Waiting {
  resolve(results: readonly ContentResult[]): void;
  reject(error: unknown): void;
}

interface Lane {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/**
 * Store workers, started when the first content comes. Contents of a batch stay in their worker; only ids, recipes and
 * sealed frames cross threads. A worker that dies fails every batch it held: nothing was sealed, so nothing is lost.
 */
export class StorePipeline {
  readonly #data: StoreWorkerData;
  readonly #sink: PipelineSink;
  readonly #count: number;
  readonly #lanes: Lane[] = [];
  #batches = 0;
  #failure: unknown;
  #room: (() => void) | undefined;

  constructor(data: StoreWorkerData, sink: PipelineSink, workers: number) {
    this.#data = data;
    this.#sink = sink;
    this.#count = workers;
  }

  /** Resolves when a worker can take a batch. At most one caller waits at a time. */
  async ready(): Promise<void> {
    while (!this.#failure && this.#lanes.length === this.#count && this.#freest().waiting.size >= IN_FLIGHT) {
      await new Promise<void>((resolve) => { this.#room = resolve; });
    }
    if (this.#failure) throw this.#failure;
  }

  /** Results in the order of the jobs. Their blobs are in packs only after `flush` and the packs' put. */
  store(jobs: readonly ContentJob[]): Promise<readonly ContentResult[]> {
    const lane = this.#laneForWork();
    const transfer = jobs.flatMap((job) => ('bytes' in job.source ? [job.source.bytes.buffer] : []));
    return this.#send(lane, { type: 'batch', batch: ++this.#batches, jobs }, transfer);
  }

  /** All workers emit the frames that they were still filling. */
  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => this.#send(lane, { type: 'flush', batch: ++this.#batches })));
  }

  async close(): Promise<void> {
    this.#failure ??= new HoldfastError('repository/closed', 'never', 'The store was closed.');
    await Promise.all(this.#lanes.map((lane) => lane.worker.terminate()));
  }

  #send(lane: Lane, request: Extract<StoreRequest, { batch: number }>, transfer: ArrayBuffer[] = []): Promise<readonly ContentResult[]> {
    if (this.#failure) return Promise.reject(this.#failure as Error);
    return new Promise((resolve, reject) => {
      lane.waiting.set(request.batch, { resolve, reject });
      lane.worker.postMessage(request, transfer);
    });
  }

  #freest(): Lane {
    return this.#lanes.reduce((best, lane) => (lane.waiting.size < best.waiting.size ? lane : best));
  }

  #laneForWork(): Lane {
    if (this.#lanes.length === 0 || (this.#lanes.length < this.#count && this.#freest().waiting.size > 0)) this.#start();
    return this.#freest();
  }

  #start(): void {
    const worker = new Worker(new URL('./storeWorker.ts', import.meta.url), {
      workerData: this.#data,
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 },
    });
    const lane: Lane = { worker, waiting: new Map() };
    worker.on('message', (reply: StoreReply) => this.#receive(lane, reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', (code) => { if (lane.waiting.size > 0) this.#fail(new Error(`a store worker ended with ${code}`)); });
    this.#lanes.push(lane);
  }

  #receive(lane: Lane, reply: StoreReply): void {
    if (reply.type === 'frame') {
      this.#sink.frame(reply.stream, reply.frame);
    } else if (reply.type === 'ask') {
      this.#sink.claim(reply.ids).then(
        (wanted) => lane.worker.postMessage({ type: 'verdict', question: reply.question, wanted } satisfies StoreRequest),
        (error: unknown) => this.#fail(error),
      );
    } else {
      const waiting = lane.waiting.get(reply.batch);
      lane.waiting.delete(reply.batch);
      if (reply.type === 'done') waiting?.resolve(reply.results);
      else waiting?.reject(new HoldfastError(reply.code, 'resume', reply.message));
      this.#room?.();
      this.#room = undefined;
    }
  }

  /** Every wait ends: a dead worker must never look like a slow one. */
  #fail(error: unknown): void {
    this.#failure ??= new HoldfastError('repository/worker-failed', 'resume',
      'A worker of the store failed. Nothing that was sealed is affected; run the backup again.', { cause: error });
    for (const lane of this.#lanes) {
      for (const waiting of lane.waiting.values()) waiting.reject(this.#failure);
      lane.waiting.clear();
    }
    this.#room?.();
    this.#room = undefined;
  }
}
