import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { messageOf, type BinaryString, type Outcome } from '../domain/index.ts';
import type { ContentJob } from './storeProtocol.ts';

/** Contents up to this size are read whole; larger ones go through in windows. */
export const WHOLE_READ = 4 * 1024 * 1024;

export const CHANGED: Outcome = {
  state: 'altered',
  code: 'changed-while-read',
  message: 'The file was being written while it was read; the copy may mix two states. The next run reads it again.',
};

/** What stands under the name now is no file any more: it was replaced between listing and reading. */
const REPLACED: Outcome = {
  state: 'failed',
  code: 'changed-while-read',
  message: 'Something that is no file took its place after it was listed. The next run looks at it anew.',
};

/**
 * Links are not followed, and a pipe or a device is not waited for: between listing and reading anything may have taken
 * the file's place, and a thread that waits in open() cannot be ended.
 */
const OPEN = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What open() and read() say of links (BSD: EMLINK), sockets, pipes and folders. */
const NO_FILE = new Set(['ELOOP', 'EMLINK', 'ENXIO', 'ESPIPE', 'EISDIR']);

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
  if (code !== undefined && NO_FILE.has(code)) return REPLACED;
  const why = code === 'EACCES' || code === 'EPERM' ? 'this user may not read it' : messageOf(error);
  return { state: 'failed', code: 'unreadable', message: `It could not be read: ${why}.` };
}

export interface ReadResult {
  readonly bytes: Buffer;
  /** It still did not hold still after a second reading. */
  readonly changed: boolean;
}

/** Opens what may be read as the listed file. Throws what the system throws. */
export function openListed(path: BinaryString): number {
  return openSync(pathOf(path), OPEN);
}

/** Of a descriptor of {@link openListed}: the file's state, or ELOOP where it is none, as for a link. */
export function statListed(fd: number): Stats {
  const now = fstatSync(fd);
  if (now.isFile()) return now;
  throw Object.assign(new Error('it is no file'), { code: 'ELOOP', syscall: 'fstat' });
}

/** True where the file behind `fd` is still as it was listed. */
export function asListed(fd: number, read: number, job: ContentJob): boolean {
  if (read !== job.size) return false;
  return job.modified === null || Math.floor(statListed(fd).mtimeMs) === Math.floor(job.modified);
}

/**
 * Reads a whole file into `arena` at `at` (where it fits, with a byte to spare to notice growth) or into a buffer of its own.
 * A file that changed meanwhile is read a second time; undefined where it has grown beyond `limit`. Throws what the system throws.
 */
export function readWhole(path: BinaryString, job: ContentJob, arena: Buffer, at: number, limit: number): ReadResult | undefined {
  const fd = openListed(path);
  try {
    const room = job.size + 1 <= arena.length - at ? arena.subarray(at, at + job.size + 1) : Buffer.allocUnsafeSlow(job.size + 1);
    const first = fill(fd, room);
    if (asListed(fd, first.length, job)) return { bytes: first, changed: false };
    const before = statListed(fd);
    if (before.size > limit) return undefined;
    const second = fill(fd, Buffer.allocUnsafeSlow(before.size + 1));
    const after = fstatSync(fd);
    const changed = after.mtimeMs !== before.mtimeMs || after.size !== second.length;
    return { bytes: second, changed };
  } finally {
    closeSync(fd);
  }
}

/** From the file's start to its end, or to that of the buffer: what is no file may have no end. */
function fill(fd: number, buffer: Buffer): Buffer {
  let used = 0;
  while (used < buffer.length) {
    const n = readSync(fd, buffer, used, buffer.length - used, used);
    if (n === 0) break;
    used += n;
  }
  return buffer.subarray(0, used);
}
