import type { BigIntStats } from 'node:fs';

/** What of an entry's attributes a row can be made of, as `lstat` gives it. */
export type EntryAttributes = Pick<BigIntStats, 'size' | 'mode' | 'uid' | 'gid' | 'mtimeMs' | 'mtimeNs' | 'nlink' | 'dev' | 'ino'>;

/**
 * The part of `stats` to keep until the row is made. The whole object must not be kept: V8 then takes all such objects for
 * long-lived, and a listing keeps every number of every entry until the next full collection (a quarter of the CPU time of a run without changes).
 */
export function entryAttributes(stats: BigIntStats): EntryAttributes {
  const { size, mode, uid, gid, mtimeMs, mtimeNs, nlink, dev, ino } = stats;
  return { size, mode, uid, gid, mtimeMs, mtimeNs, nlink, dev, ino };
}
