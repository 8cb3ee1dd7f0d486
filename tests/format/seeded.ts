import { createHash } from 'node:crypto';
import type { Clock, RandomBytes } from '../../src/runtime/index.ts';

/** The same bytes for the same seed: SHA-256 in counter mode. Never for anything that is to stay secret. */
export function seededRandom(seed: string): RandomBytes {
  let block = 0;
  return (length) => {
    const blocks: Buffer[] = [];
    for (let made = 0; made < length; made += 32) blocks.push(createHash('sha256').update(`${seed}/${block++}`).digest());
    return Buffer.concat(blocks).subarray(0, length);
  };
}

/** Goes on a little with every look, and by whole days when it is told to. */
export class SteppingClock implements Clock {
  #now: number;

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    this.#now += 7;
    return this.#now;
  }

  monotonic(): number {
    return this.now();
  }

  nextDay(): void {
    this.#now += 86_400_000;
  }
}
