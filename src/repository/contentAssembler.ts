import { hash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, futimesSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import type { BinaryString } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import { encodeBase64Lines, encodedLength } from './base64Lines.ts';
import type { BlobNamer } from './blobId.ts';
import { pathOf } from './contentReader.ts';
import type { FileTarget, PlacedOp, ReadJob, ReadResult } from './readProtocol.ts';

/** Numbers of a blob in a `PlacedOp`. */
const PLACE = 3;

/** Puts items together from opened frames, proves them, and writes them or gives them back. One reusable buffer. */
export class ContentAssembler {
  readonly #namer: BlobNamer;
  #buffer = Buffer.allocUnsafeSlow(1024 * 1024);

  constructor(namer: BlobNamer) {
    this.#namer = namer;
  }

  /** `frame` gives the opened bytes of the batch's frame by its index; it throws where the frame is damaged. */
  assemble(job: ReadJob, frame: (index: number) => Buffer): ReadResult {
    const bytes = this.#bytes(job, frame);
    if (!this.#proved(job, bytes)) return { code: 'repository/damaged', message: 'Its bytes are not those that were stored.' };
    if (!job.target) return { bytes: Uint8Array.from(bytes) };
    return writeFile(job.target, bytes);
  }

  #proved(job: ReadJob, bytes: Buffer): boolean {
    if ('empty' in job.proof) return bytes.length === 0;
    if ('id' in job.proof) return this.#namer.id(bytes) === job.proof.id;
    return hash('sha256', bytes, 'binary') === job.proof.sha256;
  }

  /** A single blob is a view of its frame; anything else is put together in the buffer. */
  #bytes(job: ReadJob, frame: (index: number) => Buffer): Buffer {
    const [only] = job.ops;
    if (only && job.ops.length === 1 && only.blobs.length === PLACE && !only.base64) return view(only.blobs, 0, frame);
    const total = job.ops.reduce((sum, op) => sum + opLength(op), 0);
    if (total > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(total);
    let at = 0;
    for (const op of job.ops) at += this.#op(op, frame, at);
    return this.#buffer.subarray(0, at);
  }

  #op(op: PlacedOp, frame: (index: number) => Buffer, at: number): number {
    if (!op.base64) {
      let used = 0;
      for (let i = 0; i < op.blobs.length; i += PLACE) used += view(op.blobs, i, frame).copy(this.#buffer, at + used);
      return used;
    }
    const pieces: Buffer[] = [];
    for (let i = 0; i < op.blobs.length; i += PLACE) pieces.push(view(op.blobs, i, frame));
    const [first] = pieces;
    const decoded = first && pieces.length === 1 ? first : Buffer.concat(pieces);
    return encodeBase64Lines(decoded, op.base64, this.#buffer, at);
  }
}

/** The blob whose numbers begin at `i`. */
function view(blobs: PlacedOp['blobs'], i: number, frame: (index: number) => Buffer): Buffer {
  const [offset, length] = [blobs[i + 1] as number, blobs[i + 2] as number];
  return frame(blobs[i] as number).subarray(offset, offset + length);
}

function opLength(op: PlacedOp): number {
  let length = 0;
  for (let i = 0; i < op.blobs.length; i += PLACE) length += op.blobs[i + 2] as number;
  return op.base64 ? encodedLength(length, op.base64) : length;
}

/** Bits of a mode that a file does not get from open(): the umask takes some away, others must wait for its owner. */
const NOT_BY_OPEN = process.umask() | 0o7000;

/**
 * An existing file is never touched unless it is to be replaced, and then stands until the new one is whole; a file that
 * could not be written whole is taken away again.
 */
function writeFile(target: FileTarget, bytes: Buffer): ReadResult {
  const path = pathOf(target.replace ? besides(target.path) : target.path);
  let fd: number;
  try {
    fd = openSync(path, 'wx', (target.mode ?? 0o666) & 0o777);
  } catch (error) {
    return systemResult(error);
  }
  try {
    let done = 0;
    while (done < bytes.length) done += writeSync(fd, bytes, done);
    const attributes = setAttributes(fd, target);
    if (target.replace) renameSync(path, pathOf(target.path));
    closeSync(fd);
    return attributes ?? { written: bytes.length };
  } catch (error) {
    closeSync(fd);
    unlinkSync(path);
    return systemResult(error);
  }
}

/**
 * The owner comes before setuid and setgid, which would else stand for whoever restores (and chown takes them away); where
 * the file system does not give the owner, they are left off. A file that is whole stays in any case.
 */
function setAttributes(fd: number, { owner, mode, modified }: FileTarget): ReadResult | undefined {
  let failure: ReadResult | undefined;
  const attempt = (set: () => void): void => {
    try {
      set();
    } catch (error) {
      const { code = 'unknown', syscall } = error as NodeJS.ErrnoException;
      if (syscall === undefined) throw error;
      failure ??= { code: 'restore/attributes', message: `It was written, but its owner, mode or time could not be set (${code}).` };
    }
  };
  if (owner) attempt(() => fchownSync(fd, owner.uid, owner.gid));
  const given = failure ? 0o1777 : 0o7777;
  if (mode !== null && (mode & NOT_BY_OPEN) !== 0) attempt(() => fchmodSync(fd, mode & given));
  if (modified !== null) attempt(() => futimesSync(fd, modified, modified));
  return failure;
}

/** A free name in the same folder. */
function besides(path: BinaryString): BinaryString {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}.holdfast-${systemRandom(6).toString('hex')}`;
}

function systemResult(error: unknown): ReadResult {
  const { code = 'unknown', syscall } = error as NodeJS.ErrnoException;
  if (syscall === undefined) throw error;
  if (code === 'EEXIST') return { code: 'restore/exists', message: 'Something stands there already; it was left as it is.' };
  if (code === 'ENOSPC' || code === 'EDQUOT') return { code: 'restore/full', message: 'The disk is full. Make room and run the restore again.' };
  return { code: 'restore/not-written', message: `The file could not be written (${code}).` };
}
