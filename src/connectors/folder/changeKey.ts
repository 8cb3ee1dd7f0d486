import type { BigIntStats } from 'node:fs';
import type { BinaryString } from '../../domain/index.ts';

/**
 * A kernel may stamp times with its tick only (10 ms at the coarsest): a file written again within one tick of its
 * last change keeps ctime, and size may be equal as well.
 */
const TICK_NS = 20_000_000n;

const words = new BigInt64Array(5);
const bytes = Buffer.from(words.buffer);

/** From when on a ctime is too young to tell a later change, for files listed at `nowMs` or after. */
export function youngFrom(nowMs: number): bigint {
  return BigInt(Math.floor(nowMs)) * 1_000_000n - TICK_NS;
}

/**
 * Size, mtime, ctime and inode, 8 bytes each in this machine's order: opaque, only compared. A change of content, mode
 * or owner moves ctime, which no program can set. A ctime that is too young gets the listing's time (`young`) added, so
 * that the next run finds another key and reads the file once more.
 */
export function changeKey(stats: BigIntStats, young: bigint): BinaryString {
  words[0] = stats.size;
  words[1] = stats.mtimeNs;
  words[2] = stats.ctimeNs;
  words[3] = stats.ino;
  if (stats.ctimeNs < young) return bytes.toString('latin1', 0, 32);
  words[4] = young;
  return bytes.toString('latin1', 0, 40);
}
