import { parentPort, workerData } from 'node:worker_threads';
import { BlobNamer } from './blobId.ts';
import type { PackJob } from './checkProtocol.ts';
import { provePack } from './provePack.ts';

/** The thread that proves packs. */
const port = parentPort;
if (!port) throw new Error('checkWorker runs as a worker thread');

const namer = new BlobNamer((workerData as { idKey: Uint8Array }).idKey);
port.on('message', (job: PackJob) => port.postMessage(provePack(namer, job)));
