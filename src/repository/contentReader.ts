import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, type BinaryString, type Outcome } from '../domain/index.ts';
import type { ContentJob } from './storeProtocol.ts';

/** Contents up to this size are read whole; larger ones go through in windows. */
export const WHOLE_READ = 4 * 1024 * 1024;

export const CHANGED: Outcome = {
  state: 'altered',
  code: 'changed-while-read',
  message: 'The file was being written while it was read; the copy may mix two states. The next run reads it again.',
};

/** Node takes a path of any bytes as a Buffer; a string only where it is ASCII. */
export function pathOf(path: BinaryString): string | Buffer {
  // oxlint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1');
}

/** Why a file could not be read, as the outcome of its item. */
export function unreadable(error: unknown): Outcome {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { state: 'skipped', code: 'vanished', message: 'It was deleted between listing and reading.' };
  }
  const why = code === 'EACCES' || code === 'EPERM' ? 'this user may not read it' : messageOf(error);
  return { state: 'failed', code: 'unreadable', message: `It could not be read: ${why}.` };
}

export interface ReadResult {
  readonly bytes: Buffer;
  /** It still did not hold still after a second reading. */
  readonly changed: boolean;
}

/** True where the file behind `fd` is still as it was listed. */
export function asListed(fd: number, read: number, job: ContentJob): boolean {
  if (read !== job.size) return false;
  return job.modified === null || Math.floor(fstatSync(fd).mtimeMs) === Math.floor(job.modified);
}

/**
 * Reads a whole file into `arena` at `at` (where it fits, with a byte to spare to notice growth) or into a buffer of its own.
 * A file that changed meanwhile is read a second time. Throws what the system throws.
 */
export function readWhole(path: BinaryString, job: ContentJob, arena: Buffer, at: number): ReadResult {
  const fd = openSync(pathOf(path), 'r');
  try {
    const first = readInto(fd, job.size + 1 <= arena.length - at ? arena.subarray(at, at + job.size + 1) : undefined, job.size);
    if (asListed(fd, first.length, job)) return { bytes: first, changed: false };
    const before = fstatSync(fd);
    const second = readInto(fd, undefined, before.size);
    const after = fstatSync(fd);
    const changed = after.mtimeMs !== before.mtimeMs || after.size !== second.length;
    return { bytes: second, changed };
  } finally {
    closeSync(fd);
  }
}

/** From the file's start to its end, growing where it is longer than expected. */
function readInto(fd: number, target: Buffer | undefined, expected: number): Buffer {
  let buffer = target ?? Buffer.allocUnsafeSlow(expected + 1);
  let used = 0;
  for (;;) {
    if (used === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    const n = readSync(fd, buffer, used, buffer.length - used, used);
    if (n === 0) return buffer.subarray(0, used);
    used += n;
    if (used === expected && used < buffer.length) {
      const more = readSync(fd, buffer, used, 1, used);
      if (more === 0) return buffer.subarray(0, used);
      used += more;
    }
  }
}
