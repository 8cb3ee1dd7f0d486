import { isHoldfastError, messageOf } from '../domain/index.ts';
import type { BlobNamer } from './blobId.ts';
import { DirectoryDigest, type PackJob, type PackVerdict } from './checkProtocol.ts';
import { openWhole } from './container.ts';
import { frameBytes, openFrame } from './frame.ts';
import { decodeDirectory, PACK_MAGIC, type PackFrame } from './pack.ts';
import { ID_LENGTH } from './recipe.ts';
import { HEADER_LENGTH } from './sealedObject.ts';
import { sealingKeyOf } from './sealingKeys.ts';
import type { SealingKey } from './xaes.ts';

/** Opens each frame of a pack once and compares every blob with its id. */
export function provePack(namer: BlobNamer, job: PackJob): PackVerdict {
  const bytes = Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.byteLength);
  const key = sealingKeyOf(job.key);
  const badFrames: number[] = [];
  const badBlobs: [number, number][] = [];
  const { frames, partsEnd, damage } = directoryOf(job, bytes, key);
  const digest = new DirectoryDigest();
  for (const frame of frames ?? job.expected ?? []) {
    digestFrame(digest, frame);
    if (!proveFrame(namer, bytes, frame, key, badBlobs)) badFrames.push(frame.offset);
  }
  return {
    job: job.job, badFrames, badBlobs, digest: frames && digest.sums,
    damage: damage ?? (frames && tiles(frames, partsEnd) ? undefined : 'there are bytes between its frames'),
  };
}

function directoryOf(
  job: PackJob, bytes: Buffer, key: SealingKey,
): { frames: PackFrame[] | undefined; partsEnd: number; damage: string | undefined } {
  try {
    const tail = openWhole(job.name, bytes, PACK_MAGIC, () => key);
    return { frames: decodeDirectory(job.name, tail.directory), partsEnd: tail.partsEnd, damage: undefined };
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return { frames: undefined, partsEnd: 0, damage: messageOf(error) };
  }
}

/** Frames lie end to end from the header to the directory. */
function tiles(frames: readonly PackFrame[], partsEnd: number): boolean {
  let at = HEADER_LENGTH;
  for (const frame of frames) {
    if (frame.offset !== at) return false;
    at += frame.length;
  }
  return at === partsEnd;
}

function digestFrame(digest: DirectoryDigest, frame: PackFrame): void {
  const ids = Buffer.from(frame.ids.buffer, frame.ids.byteOffset, frame.ids.byteLength);
  let offset = 0;
  for (let i = 0; i < frame.lengths.length; i++) {
    const length = frame.lengths[i] ?? 0;
    digest.add(ids, i * ID_LENGTH, frame.offset, offset, length);
    offset += length;
  }
}

/** False where the frame does not open or has not the length that the directory tells. */
function proveFrame(namer: BlobNamer, bytes: Buffer, frame: PackFrame, key: SealingKey, badBlobs: [number, number][]): boolean {
  let plain: Buffer;
  try {
    plain = openFrame(bytes.subarray(frame.offset, frame.offset + frame.length), frame.plainLength, key);
  } catch {
    return false;
  }
  if (plain.length !== frameBytes(frame.plainLength)) return false;
  const ids = Buffer.from(frame.ids.buffer, frame.ids.byteOffset, frame.ids.byteLength).toString('latin1');
  let offset = 0;
  for (let i = 0; i < frame.lengths.length; i++) {
    const length = frame.lengths[i] ?? 0;
    const blob = plain.subarray(offset, offset + length);
    if (blob.length !== length || namer.id(blob) !== ids.slice(i * ID_LENGTH, (i + 1) * ID_LENGTH)) badBlobs.push([frame.offset, offset]);
    offset += length;
  }
  return true;
}
