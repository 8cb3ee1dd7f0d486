import { BlobNamer } from './blobId.ts';
import type { PackJob, PackVerdict } from './checkProtocol.ts';
import { provePack } from './provePack.ts';
import { WorkerLanes } from './workerLanes.ts';

const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** The first bytes are proved on the calling thread: a worker takes longer to start than they do. */
const HERE_BYTES = 4 << 20;

/** Worker threads that prove packs. A worker that dies fails all that waits. */
export class CheckPool {
  readonly #namer: BlobNamer;
  readonly #lanes: WorkerLanes<PackVerdict, PackVerdict>;
  #jobs = 0;
  #provedHere = 0;

  constructor(idKey: Uint8Array, workers: number) {
    this.#namer = new BlobNamer(idKey);
    this.#lanes = new WorkerLanes({
      entry: new URL('./checkWorker.ts', import.meta.url), workerData: { idKey }, count: workers, limits: LIMITS,
      lost: { retryClass: 'retry', message: 'A worker of the check failed, so nothing is known of the data it held. Run the check again.' },
      receive: (lane, verdict) => this.#lanes.settle(lane, verdict.job, { result: verdict }),
    });
  }

  /** Resolves when a worker can take a pack: read no pack before. At most one caller waits at a time. */
  ready(): Promise<void> {
    return this.#lanes.ready();
  }

  /** `bytes` are handed over to the worker where they have a buffer of their own. */
  async prove(pack: Omit<PackJob, 'job'>): Promise<PackVerdict> {
    const job: PackJob = { ...pack, job: ++this.#jobs };
    const { bytes } = pack;
    if (this.#provedHere + bytes.length <= HERE_BYTES) {
      this.#provedHere += bytes.length;
      return provePack(this.#namer, job);
    }
    const owned = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
    return this.#lanes.give(job.job, job, owned ? [bytes.buffer as ArrayBuffer] : []);
  }

  close(): Promise<void> {
    return this.#lanes.close();
  }
}
