import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { resolveRange } from './byteRange.ts';
import type { Range } from './contract.ts';
import { objectNotFound, storageUnavailable } from './storageErrors.ts';

/** Bytes moved by one system call: an abort is noticed between two of them. */
const STEP_BYTES = 32 * 1024 * 1024;
/** Buffers in one writev; Linux takes no more than 1024. */
const STEP_PARTS = 512;

const FILE_MODE = 0o600;
// O_NONBLOCK: opening a named pipe that someone put there must not hang. It means nothing for regular files.
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What messages about a file call it. */
export interface ObjectPlace {
  readonly location: string;
  readonly name: string;
}

/** Reads a range of the regular file at `path`, all of it without one. */
export async function readFileRange(
  path: string,
  place: ObjectPlace,
  range: Range | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const file = await open(path, READ_FLAGS);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw objectNotFound(place.location, place.name);
    const { start, end } = resolveRange(range, stats.size);
    // Not zeroed: each byte is read below, or the call throws. Its own memory: readers hand it to other threads.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(end - start).buffer);
    let done = 0;
    while (done < bytes.length) {
      signal?.throwIfAborted();
      const step = Math.min(STEP_BYTES, bytes.length - done);
      const { bytesRead } = await file.read(bytes, done, step, start + done);
      if (bytesRead === 0) throw storageUnavailable(place.location, `"${place.name}" became shorter while it was read`);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** Makes the file `path`, which must not exist, of `parts`; when it returns, the bytes are on the disk. */
export async function writeDurableFile(
  path: string,
  parts: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    await writeAll(file, parts, signal);
    signal?.throwIfAborted();
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAll(
  file: FileHandle,
  parts: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  let index = 0;
  /** Bytes of `parts[index]` that are written. */
  let offset = 0;
  while (true) {
    const batch = nextBatch(parts, index, offset);
    if (batch.length === 0) return;
    signal?.throwIfAborted();
    // A short write is no error; what is left follows, and a full disk then says so.
    let { bytesWritten } = await file.writev(batch);
    for (; index < parts.length; index++, offset = 0) {
      const left = (parts[index]?.length ?? 0) - offset;
      if (bytesWritten < left) break;
      bytesWritten -= left;
    }
    offset += bytesWritten;
  }
}

/** What one writev takes, from byte `offset` of `parts[index]` on; empty at the end. */
function nextBatch(parts: readonly Uint8Array[], index: number, offset: number): Uint8Array[] {
  const batch: Uint8Array[] = [];
  let room = STEP_BYTES;
  for (let i = index; i < parts.length && room > 0 && batch.length < STEP_PARTS; i++) {
    const part = parts[i]?.subarray(i === index ? offset : 0) ?? new Uint8Array();
    const taken = part.subarray(0, room);
    if (taken.length > 0) batch.push(taken);
    room -= taken.length;
  }
  return batch;
}
