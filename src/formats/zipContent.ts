import { promisify } from 'node:util';
import { crc32, createDeflateRaw, deflateRaw, deflateRawSync } from 'node:zlib';

/** A content in memory as it will lie in a ZIP. */
export interface PackedContent {
  readonly method: number;
  readonly bytes: Uint8Array;
  readonly crc: number;
  readonly size: number;
}

export const STORED = 0;
export const DEFLATED = 8;

const LEVEL = 6;
/** Smaller ones are not worth the way to another thread. */
const SMALL = 16 * 1024;
/** Three samples of this size tell whether a large content can be made smaller. */
const SAMPLE = 24 * 1024;
const WORTH = 0.95;

const deflate = promisify<Uint8Array, { level: number }, Buffer>(deflateRaw);

/** Deflates on another thread where that pays; what does not become smaller is stored. */
export async function packContent(bytes: Uint8Array): Promise<PackedContent> {
  const { length } = bytes;
  const crc = crc32(bytes);
  const stored = { method: STORED, bytes, crc, size: length };
  if (length > 3 * SAMPLE && !compressible(bytes)) return stored;
  const packed = length <= SMALL ? deflateRawSync(bytes, { level: LEVEL }) : await deflate(bytes, { level: LEVEL });
  return packed.length < length ? { method: DEFLATED, bytes: packed, crc, size: length } : stored;
}

/** Whether parts of it become smaller; media and archives do not, and cost as much time as text. */
export function compressible(bytes: Uint8Array): boolean {
  const last = Math.max(0, bytes.length - SAMPLE);
  return [0, Math.floor(last / 2), last].some((start) => {
    const sample = bytes.subarray(start, start + SAMPLE);
    return deflateRawSync(sample, { level: 1 }).length < sample.length * WORTH;
  });
}

/** Deflates a stream; it is read only as fast as the result is taken. */
export async function* deflated(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const stream = createDeflateRaw({ level: LEVEL });
  const feeding = feed(pieces, stream);
  feeding.catch((error: unknown) => stream.destroy(error as Error));
  for await (const piece of stream) yield piece as Buffer;
  await feeding;
}

async function feed(pieces: AsyncIterable<Uint8Array>, stream: ReturnType<typeof createDeflateRaw>): Promise<void> {
  for await (const piece of pieces) {
    await new Promise<void>((resolve, reject) => {
      stream.write(piece, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
  stream.end();
}
