import { createHash, randomInt } from 'node:crypto';
import type { RandomBytes } from '../../src/runtime/index.ts';

/** The seed of a test run; printed with its failures, and given again by HOLDFAST_SEED. */
export function testSeed(): number {
  return Number(process.env['HOLDFAST_SEED'] ?? randomInt(2 ** 31));
}

/** mulberry32: numbers in [0, 1) that follow from the seed. */
export function seededNumbers(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that follow from a text; incompressible. */
export function seededBytes(text: string, length: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(1, length) }).update(text).digest().subarray(0, length);
}

export function seededRandom(seed: number): RandomBytes {
  let calls = 0;
  return (length) => Buffer.from(seededBytes(`${seed}/${calls++}`, length));
}
