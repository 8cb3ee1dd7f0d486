import { createHash, hash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import type { BinaryString } from '../domain/index.ts';
import { systemRandom, type RandomBytes } from '../runtime/index.ts';
import { BlobNamer } from './blobId.ts';
import { Chunker, WHOLE_LIMIT } from './chunker.ts';
import { asListed, CHANGED, openListed, readWhole, statListed, unreadable, WHOLE_READ } from './contentReader.ts';
import { FileSteps } from './fileSteps.ts';
import { FrameSink, looksLikeMail } from './frameSink.ts';
import { splitParts, type Part } from './parts.ts';
import { encodeOps, encodeRecipe, INLINE_OPS, type BlobRef, type Op } from './recipe.ts';
import { OWN, SHARED_STREAM, type ContentJob, type ContentResult, type StoreWorkerData } from './storeProtocol.ts';
import type { SealedFrame } from './frame.ts';

/** Mails up to this size are taken apart; larger ones are kept as plain bytes, to bound memory. */
const MAIL_LIMIT = 32 * 1024 * 1024;
/** Content below this stays with its entity: sharing it would not pay for the scattered reads. */
const SHARE_FROM = 4096;
const WINDOW = 1024 * 1024;
/** Room of a batch of about half a megabyte; what does not fit gets a buffer of its own. */
const ARENA = 640 * 1024;

/** What the processor needs from the thread that owns the index and the packs. */
export interface ProcessorPort {
  /** 24 bytes an id; the answer holds 1 for each blob that is to be stored. */
  ask(ids: Uint8Array): Promise<Uint8Array>;
  emit(stream: number, frame: SealedFrame): void;
}

interface PendingBlob {
  readonly id: BinaryString;
  readonly bytes: Uint8Array;
  readonly stream: number;
}

/** Memory of one batch: what was read, and what is still free of the room for decoded attachments. */
interface Arena {
  readonly read: Buffer;
  decoded: Buffer;
}

/** Turns contents into recipes and new blobs into sealed frames: read, take apart, chunk, name, ask, collect, compress, seal. */
export class ContentProcessor {
  readonly #port: ProcessorPort;
  readonly #namer: BlobNamer;
  readonly #chunker: Chunker;
  readonly #sink: FrameSink;
  #decoded: Buffer = Buffer.alloc(0);
  readonly #arenas: Arena[] = [];

  constructor(data: StoreWorkerData, port: ProcessorPort, random: RandomBytes = systemRandom) {
    this.#port = port;
    this.#namer = new BlobNamer(data.idKey);
    this.#chunker = new Chunker(data.chunkerKey);
    this.#sink = new FrameSink(data, (stream, frame) => port.emit(stream, frame), random);
  }

  /** Seals what is still being collected. */
  flush(): void {
    this.#sink.flush();
  }

  /** Jobs larger than a window are handled one by one; the others of a batch share one question to the index. */
  async batch(jobs: readonly ContentJob[]): Promise<ContentResult[]> {
    const arena = this.#arenas.pop() ?? { read: Buffer.allocUnsafeSlow(ARENA), decoded: Buffer.allocUnsafeSlow(ARENA) };
    const pending: PendingBlob[] = [];
    const results: ContentResult[] = [];
    let used = 0;
    for (const job of jobs) {
      if ('path' in job.source && job.size > (job.mail === false ? WHOLE_READ : MAIL_LIMIT)) {
        results.push(await this.#stream(job.source.path, job));
        continue;
      }
      this.#decoded = arena.decoded;
      const whole = this.#whole(job, arena.read, used, pending);
      results.push(whole ?? await this.#stream((job.source as { path: BinaryString }).path, job));
      arena.decoded = this.#decoded;
      if (job.size + 1 <= arena.read.length - used) used += job.size + 1;
    }
    await this.#keep(pending);
    this.#arenas.push({ read: arena.read, decoded: Buffer.from(arena.decoded.buffer) });
    return results;
  }

  /** Where the attachments of a mail of so many bytes are decoded to: the batch's buffer, until it is full. */
  #room(length: number): Buffer | undefined {
    return length <= this.#decoded.length ? this.#decoded : undefined;
  }

  /** Undefined: a file that has grown too large for this. */
  #whole(job: ContentJob, arena: Buffer, at: number, pending: PendingBlob[]): ContentResult | undefined {
    if ('bytes' in job.source) {
      const { buffer, byteOffset, byteLength } = job.source.bytes;
      const bytes = Buffer.from(buffer, byteOffset, byteLength);
      return { content: this.#describe(bytes, job.mail, pending), size: bytes.length };
    }
    try {
      const read = readWhole(job.source.path, job, arena, at, MAIL_LIMIT);
      if (!read) return undefined;
      const { bytes, changed } = read;
      const content = this.#describe(bytes, job.mail, pending);
      return changed ? { content, size: bytes.length, outcome: CHANGED } : { content, size: bytes.length };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      return { content: '', size: 0, outcome: unreadable(error) };
    }
  }

  /** The recipe of bytes in memory; their blobs are added to `pending`. */
  #describe(bytes: Buffer, mailHint: boolean | undefined, pending: PendingBlob[]): BinaryString {
    if (bytes.length === 0) return encodeRecipe({ type: 'empty' });
    const mail = mailHint ?? looksLikeMail(bytes);
    const parts = mail ? splitParts(bytes, this.#room(bytes.length)) : undefined;
    const stream = mail || bytes.length < SHARE_FROM ? OWN : SHARED_STREAM;
    if (!parts && bytes.length <= WHOLE_LIMIT) {
      return encodeRecipe({ type: 'blob', id: this.#name(bytes, stream, pending).id });
    }
    if (parts) this.#advance(parts);
    const ops: Op[] = parts
      ? parts.map((part) => (part.kind === 'raw'
        ? { blobs: this.#chunks(bytes.subarray(part.start, part.end), OWN, pending) }
        : { blobs: this.#chunks(part.decoded, SHARED_STREAM, pending), base64: part.layout }))
      : [{ blobs: this.#chunks(bytes, stream, pending) }];
    return this.#finishRecipe(hash('sha256', bytes, 'binary'), ops, pending);
  }

  /** The decoded bytes stay where they are until the batch is kept; the next mail's go behind them. */
  #advance(parts: readonly Part[]): void {
    for (const part of parts) {
      if (part.kind === 'base64' && part.decoded.buffer === this.#decoded.buffer) {
        this.#decoded = Buffer.from(part.decoded.buffer, part.decoded.byteOffset + part.decoded.length);
      }
    }
  }

  #finishRecipe(sha256: BinaryString, ops: readonly Op[], pending: PendingBlob[]): BinaryString {
    const encoded = encodeOps(ops);
    if (encoded.length <= INLINE_OPS) return encodeRecipe({ type: 'ops', sha256, ops });
    const kept = this.#chunks(Buffer.from(encoded, 'latin1'), OWN, pending);
    return encodeRecipe({ type: 'stored', sha256, ops: kept });
  }

  #chunks(bytes: Uint8Array, stream: number, pending: PendingBlob[]): BlobRef[] {
    let start = 0;
    return this.#chunker.cuts(bytes).map((end) => {
      const ref = this.#name(bytes.subarray(start, end), stream, pending);
      start = end;
      return ref;
    });
  }

  #name(bytes: Uint8Array, stream: number, pending: PendingBlob[]): BlobRef {
    const id = this.#namer.id(bytes);
    pending.push({ id, bytes, stream });
    return { id, length: bytes.length };
  }

  async #keep(pending: readonly PendingBlob[]): Promise<void> {
    if (pending.length === 0) return;
    const ids = Buffer.allocUnsafeSlow(pending.length * 24);
    pending.forEach((blob, i) => ids.write(blob.id, i * 24, 'latin1'));
    const wanted = await this.#port.ask(ids);
    pending.forEach((blob, i) => {
      if (wanted[i] === 1) this.#sink.add(blob.stream, blob.id, blob.bytes);
    });
  }

  /** A large file, window by window. Between windows other batches may run: nothing of the chunker's state is kept. */
  async #stream(path: BinaryString, job: ContentJob): Promise<ContentResult> {
    let fd: number;
    try {
      fd = openListed(path);
    } catch (error) {
      return { content: '', size: 0, outcome: unreadable(error) };
    }
    try {
      statListed(fd);
      const { content, size } = await this.#windows(fd);
      return asListed(fd, size, job) ? { content, size } : { content, size, outcome: CHANGED };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      return { content: '', size: 0, outcome: unreadable(error) };
    } finally {
      closeSync(fd);
    }
  }

  async #windows(fd: number): Promise<{ content: BinaryString; size: number }> {
    const window = Buffer.allocUnsafeSlow(WINDOW);
    const whole = createHash('sha256');
    let pending: PendingBlob[] = [];
    const steps = new FileSteps(this.#chunker, (bytes) => this.#name(bytes, OWN, pending));
    let carried = 0;
    let size = 0;
    for (;;) {
      const read = readSync(fd, window, carried, window.length - carried, size);
      whole.update(window.subarray(carried, carried + read));
      size += read;
      const end = carried + read;
      const used = this.#cutWindow(window.subarray(0, end), read === 0, pending, steps);
      const content = read === 0 ? steps.recipe(whole.digest('binary')) : undefined;
      steps.settle();
      await this.#keep(pending);
      if (content !== undefined) return { content, size };
      pending = [];
      window.copyWithin(0, used, end);
      carried = end - used;
    }
  }

  #cutWindow(bytes: Buffer, final: boolean, pending: PendingBlob[], steps: FileSteps): number {
    this.#chunker.buffer.set(bytes);
    let start = 0;
    while (start < bytes.length) {
      const end = this.#chunker.cut(start, bytes.length, final);
      if (end < 0) break;
      steps.add(this.#name(bytes.subarray(start, end), SHARED_STREAM, pending));
      start = end;
    }
    return start;
  }
}
