import { HoldfastError } from '../domain/index.ts';
import type { Range } from './contract.ts';

/** Throws `storage/bad-range` (class never) unless both numbers are whole and the length is not negative. */
export function checkRange(range: Range | undefined): void {
  if (range === undefined) return;
  if (Number.isSafeInteger(range.offset) && Number.isSafeInteger(range.length) && range.length >= 0) return;
  const { offset, length } = range;
  const message = `A range has a whole offset and a whole length of at least 0, not ${offset} and ${length}.`;
  throw new HoldfastError('storage/bad-range', 'never', message);
}

/**
 * The bytes [start, end) of an object of `size` bytes that a range means. A suffix longer than the object starts at
 * its first byte, as in HTTP (RFC 9110, 14.1.2).
 */
export function resolveRange(range: Range | undefined, size: number): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: size };
  const start = range.offset < 0 ? Math.max(0, size + range.offset) : Math.min(range.offset, size);
  return { start, end: Math.min(size, start + range.length) };
}
