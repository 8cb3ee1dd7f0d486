import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Collects garbage now, in this thread. Buffers of compression and encryption lie outside of V8's heap, and V8 lets some
 * 64 MB of dead ones a thread pile up before it looks; with three threads that is most of a backup's memory.
 * Costs about 3 ms where the heap is small, so callers bound how often.
 */
export function releaseMemory(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/** Calls {@link releaseMemory} each time so many bytes of dead buffers have come together. */
export class MemoryMeter {
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  used(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#limit) return;
    this.#bytes = 0;
    releaseMemory();
  }
}
