import { Worker } from 'node:worker_threads';
import { HoldfastError } from '../domain/index.ts';
import type { PackJob, PackVerdict } from './checkProtocol.ts';

interface Waiting {
  resolve(verdict: PackVerdict): void;
  reject(error: unknown): void;
}

interface Lane {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

/** Packs that one worker has: one under proof, one to go on with. */
const IN_FLIGHT = 2;

/** Worker threads that prove packs. A worker that dies fails all that waits. */
export class CheckPool {
  readonly #lanes: Lane[] = [];
  readonly #idKey: Uint8Array;
  readonly #count: number;
  #jobs = 0;
  #failure: HoldfastError | undefined;
  #room: (() => void) | undefined;

  constructor(idKey: Uint8Array, workers: number) {
    this.#idKey = idKey;
    this.#count = workers;
  }

  /** Resolves when a worker can take a pack: read no pack before. At most one caller waits at a time. */
  async ready(): Promise<void> {
    while (!this.#failure && this.#lanes.length === this.#count && this.#freest().waiting.size >= IN_FLIGHT) {
      await new Promise<void>((resolve) => { this.#room = resolve; });
    }
    if (this.#failure) throw this.#failure;
  }

  /** `bytes` are handed over to the worker where they have a buffer of their own. */
  prove(pack: Omit<PackJob, 'job'>): Promise<PackVerdict> {
    if (this.#failure) return Promise.reject(this.#failure);
    const lane = this.#laneForWork();
    const job: PackJob = { ...pack, job: ++this.#jobs };
    const { bytes } = pack;
    const owned = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
    return new Promise((resolve, reject) => {
      lane.waiting.set(job.job, { resolve, reject });
      lane.worker.postMessage(job, owned ? [bytes.buffer as ArrayBuffer] : []);
    });
  }

  async close(): Promise<void> {
    this.#failure ??= new HoldfastError('repository/closed', 'never', 'The check was ended.');
    await Promise.all(this.#lanes.map((lane) => lane.worker.terminate()));
  }

  #freest(): Lane {
    return this.#lanes.reduce((best, lane) => (lane.waiting.size < best.waiting.size ? lane : best));
  }

  #laneForWork(): Lane {
    if (this.#lanes.length === 0 || (this.#lanes.length < this.#count && this.#freest().waiting.size > 0)) this.#start();
    return this.#freest();
  }

  #start(): void {
    const worker = new Worker(new URL('./checkWorker.ts', import.meta.url), {
      workerData: { idKey: this.#idKey },
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 },
    });
    const lane: Lane = { worker, waiting: new Map() };
    worker.on('message', (verdict: PackVerdict) => {
      lane.waiting.get(verdict.job)?.resolve(verdict);
      lane.waiting.delete(verdict.job);
      this.#wake();
    });
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', (code) => { if (lane.waiting.size > 0) this.#fail(new Error(`a check worker ended with ${code}`)); });
    this.#lanes.push(lane);
  }

  #fail(error: unknown): void {
    this.#failure ??= new HoldfastError('repository/worker-failed', 'retry',
      'A worker of the check failed, so nothing is known of the data it held. Run the check again.', { cause: error });
    for (const lane of this.#lanes) {
      for (const waiting of lane.waiting.values()) waiting.reject(this.#failure);
      lane.waiting.clear();
    }
    this.#wake();
  }

  #wake(): void {
    this.#room?.();
    this.#room = undefined;
  }
}
