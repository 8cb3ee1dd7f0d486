import { randomBytes as nodeRandomBytes } from 'node:crypto';

/** The only source of randomness. Tests may hand in a seeded one; keys and nonces in production come from here. */
export type RandomBytes = (length: number) => Buffer;

export const systemRandom: RandomBytes = (length) => nodeRandomBytes(length);

/** 32 hex digits: 48 bits of milliseconds, 80 random bits. Sorts by time of making. */
export function timeOrderedId(nowMs: number, random: RandomBytes): string {
  return nowMs.toString(16).padStart(12, '0') + random(10).toString('hex');
}
