import { parentPort, workerData } from 'node:worker_threads';
import { isHoldfastError, messageOf } from '../domain/index.ts';
import { ContentProcessor } from './contentProcessor.ts';
import type { StoreReply, StoreRequest, StoreWorkerData } from './storeProtocol.ts';

/** The thread that does a share of the CPU work of a backup, whole: read, chunk, hash, compress, seal. */
const port = parentPort;
if (!port) throw new Error('storeWorker runs as a worker thread');

const answers = new Map<number, (wanted: Uint8Array) => void>();
let questions = 0;

const processor = new ContentProcessor(workerData as StoreWorkerData, {
  ask(ids) {
    const question = ++questions;
    reply({ type: 'ask', question, ids }, [ids.buffer as ArrayBuffer]);
    return new Promise((resolve) => answers.set(question, resolve));
  },
  emit(stream, frame) {
    reply({ type: 'frame', stream, frame }, [frame.sealed.buffer, frame.ids.buffer, frame.lengths.buffer]);
  },
});

function reply(message: StoreReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

function failed(batch: number, error: unknown): void {
  const code = isHoldfastError(error) ? error.code : 'repository/worker-failed';
  reply({ type: 'failed', batch, code, message: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) });
}

port.on('message', (request: StoreRequest) => {
  if (request.type === 'verdict') {
    answers.get(request.question)?.(request.wanted);
    answers.delete(request.question);
  } else if (request.type === 'flush') {
    try {
      processor.flush();
      reply({ type: 'done', batch: request.batch, results: [] });
    } catch (error) {
      failed(request.batch, error);
    }
  } else {
    const { batch } = request;
    processor.batch(request.jobs).then(
      (results) => reply({ type: 'done', batch, results }),
      (error: unknown) => failed(batch, error),
    );
  }
});
