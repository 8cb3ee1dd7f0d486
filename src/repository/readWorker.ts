import { parentPort, workerData } from 'node:worker_threads';
import { isHoldfastError, messageOf } from '../domain/index.ts';
import { BlobNamer } from './blobId.ts';
import { ContentAssembler } from './contentAssembler.ts';
import { openFrame } from './frame.ts';
import { names } from './names.ts';
import { OpenedFrames } from './openedFrames.ts';
import type { FrameNeed, ReadReply, ReadRequest, ReadResult } from './readProtocol.ts';
import { damaged } from './sealedObject.ts';
import { sealingKeyOf } from './sealingKeys.ts';

/** The thread that opens frames and puts items together: decrypt, decompress, prove, write. */
const port = parentPort;
if (!port) throw new Error('readWorker runs as a worker thread');

/** Opened frames that are kept, per stream: bodies come in order, shared attachments come again and again (16 of them cost a restore of mail a sixth more CPU). */
const opened = new OpenedFrames({ own: 4, shared: 32 });

const assembler = new ContentAssembler(new BlobNamer((workerData as { idKey: Uint8Array }).idKey));
const answers = new Map<number, (sealed: Extract<ReadRequest, { type: 'frames' }>['sealed']) => void>();
let questions = 0;

const streamOf = (need: FrameNeed): 'own' | 'shared' => (need.stream === 'shared' ? 'shared' : 'own');
const nameOf = (need: FrameNeed): string => `${need.pack}/${need.offset}`;

interface BatchFrames {
  get(index: number): Buffer;
  /** Nothing more is asked for. */
  release(): void;
}

/**
 * Frames of one batch by index, opened when an item first needs them: items come in about the order of their frames, so a
 * few opened ones are enough. A frame that cannot be opened throws only for the items that need it. Frames at hand are
 * pinned: while this batch waits for its others, the thread works on another batch.
 */
async function framesOf(batch: number, needs: readonly FrameNeed[]): Promise<BatchFrames> {
  const held = new Map<number, Buffer>();
  const missing: number[] = [];
  const named = needs.map(nameOf);
  needs.forEach((need, i) => {
    const cached = opened.get(streamOf(need), named[i] as string);
    if (cached) {
      held.set(i, cached);
      opened.pin(cached);
    } else missing.push(i);
  });
  const answer = missing.length > 0 ? await fetchSealed(batch, missing) : [];
  const sealed = new Map(missing.map((index, i) => [index, answer[i]]));
  const get = (index: number): Buffer => {
    const need = needs[index] as FrameNeed;
    const name = named[index] as string;
    const cached = held.get(index) ?? opened.get(streamOf(need), name);
    if (cached) {
      opened.keep(streamOf(need), name, cached);
      return cached;
    }
    const bytes = sealed.get(index);
    if (!(bytes instanceof Uint8Array)) throw new Error(bytes?.message ?? 'the frame is missing');
    return open(need, bytes);
  };
  return {
    get,
    release: () => {
      for (const plain of held.values()) opened.unpin(plain);
      opened.sweep();
      release(answer);
    },
  };
}

/** What was read for a batch is given up at once: V8 would let many batches of it pile up before it looks. */
function release(sealed: Extract<ReadRequest, { type: 'frames' }>['sealed']): void {
  const buffers = new Set(sealed.flatMap((bytes) => (bytes instanceof Uint8Array ? [bytes.buffer as ArrayBuffer] : [])));
  for (const buffer of buffers) buffer.transfer(0);
}

function fetchSealed(batch: number, frames: readonly number[]): Promise<Extract<ReadRequest, { type: 'frames' }>['sealed']> {
  const question = ++questions;
  reply({ type: 'need', batch, question, frames });
  return new Promise((resolve) => answers.set(question, resolve));
}

function open(need: FrameNeed, sealed: Uint8Array): Buffer {
  try {
    const plain = openFrame(sealed, need.plainLength, sealingKeyOf(need.key));
    opened.keep(streamOf(need), nameOf(need), plain);
    return plain;
  } catch (error) {
    throw damaged(names.pack(need.stream, need.pack), `the seal of its frame at ${need.offset} does not hold`, error);
  }
}

async function run(request: Extract<ReadRequest, { type: 'batch' }>): Promise<void> {
  const frames = await framesOf(request.batch, request.frames);
  const results = request.jobs.map((job): ReadResult => {
    try {
      return assembler.assemble(job, frames.get);
    } catch (error) {
      return { code: isHoldfastError(error) ? error.code : 'repository/damaged', message: messageOf(error) };
    } finally {
      opened.sweep();
    }
  });
  frames.release();
  const transfer = results.flatMap((result) => ('bytes' in result ? [result.bytes.buffer] : []));
  reply({ type: 'done', batch: request.batch, results }, transfer);
}

function reply(message: ReadReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

port.on('message', (request: ReadRequest) => {
  if (request.type === 'frames') {
    answers.get(request.question)?.(request.sealed);
    answers.delete(request.question);
  } else {
    run(request).catch((error: unknown) => reply({ type: 'failed', batch: request.batch, message: messageOf(error) }));
  }
});
