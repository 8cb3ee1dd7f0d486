import { HoldfastError } from '../domain/index.ts';
import type { ListPage, ObjectInfo } from './contract.ts';

const DEFAULT_LIMIT = 1000;

/** The page size that a caller asked for, or the default. Throws `storage/bad-limit` (class never) below 1. */
export function pageLimit(limit: number | undefined): number {
  const chosen = limit ?? DEFAULT_LIMIT;
  if (Number.isSafeInteger(chosen) && chosen >= 1) return chosen;
  throw new HoldfastError('storage/bad-limit', 'never', `A page of a listing holds at least 1 object, not ${chosen}.`);
}

/** Makes a page of `found`, which holds one object more than `limit` where there is a next page. */
export function pageOf(found: readonly ObjectInfo[], limit: number): ListPage {
  const objects = found.slice(0, limit);
  const last = objects.at(-1);
  return found.length > limit && last !== undefined ? { objects, next: last.name } : { objects };
}
