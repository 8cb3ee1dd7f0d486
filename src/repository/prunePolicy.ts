import type { Manifest } from './manifest.ts';
import { timeOfId } from './roots.ts';

/** Which snapshots of each entity stay; those that any rule keeps. Without any rule all stay, and only garbage goes. */
export interface PrunePolicy {
  /** The newest so many. */
  readonly keepLast?: number;
  /** Those finished within so many milliseconds before now; the time in their id counts too where that is later. */
  readonly keepWithinMs?: number;
  /** Those that this answers true for. */
  readonly keep?: (manifest: Manifest) => boolean;
}

/**
 * Ids of the snapshots of one entity that stay. Whatever the policy says, the newest complete one does;
 * where none is complete, the newest.
 */
export function keptSnapshots(manifests: readonly Manifest[], policy: PrunePolicy, nowMs: number): Set<string> {
  const newestFirst = manifests.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const { keepLast, keepWithinMs, keep } = policy;
  if (keepLast === undefined && keepWithinMs === undefined && !keep) return new Set(newestFirst.map((one) => one.id));
  const kept = newestFirst.filter((one, i) => keep?.(one) || (keepLast !== undefined && i < keepLast)
    || (keepWithinMs !== undefined && Math.max(Date.parse(one.finishedAt), timeOfId(one.id)) >= nowMs - keepWithinMs));
  const last = newestFirst.find((one) => one.status === 'complete') ?? newestFirst[0];
  return new Set([...kept, ...(last ? [last] : [])].map((one) => one.id));
}
