/**
 * Which rows of a folder existed at a snapshot, without walking through all that ever existed there: an ended version
 * is filed under one number of a virtual binary tree over the ordinals, its fork (Kriegel, Pötke, Seidl: "Managing
 * Intervals Efficiently in Object-Relational Databases", VLDB 2000). A query visits one fork per level, so it meets
 * only versions that existed together at one of about log2(snapshots) moments, however many came and went.
 */

/** The `last` of a version that still stands. */
export const STILL_THERE = 2 ** 31 - 1;

/** Where versions that still stand are filed. */
export const CURRENT_FORK = 0;

/** The number in [first, last] with the most trailing zero bits. Both from 1 up, last below 2^31 - 1. */
export function forkOf(first: number, last: number): number {
  if (last === STILL_THERE) return CURRENT_FORK;
  const level = 31 - Math.clz32((first - 1) ^ last);
  return (last >> level) << level;
}

/** All forks under which a version that covers `ordinal` can be filed while `newest` is the highest ordinal. */
export function forksCovering(ordinal: number, newest: number): number[] {
  if (ordinal >= newest) return [CURRENT_FORK];
  const forks = [CURRENT_FORK];
  const lowest = 31 - Math.clz32(ordinal & -ordinal);
  for (let level = lowest; 2 ** level <= newest; level++) {
    forks.push(Math.floor(ordinal / 2 ** (level + 1)) * 2 ** (level + 1) + 2 ** level);
  }
  return forks;
}
