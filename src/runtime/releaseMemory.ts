import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A collection costs some 15 ms, and what is alive is 10 to 15 MB. */
const GROWTH_BYTES = 4_000_000;

let collect: (() => void) | undefined;
let floor = 0;

/**
 * Collects garbage in this thread where 4 MB have come together since the last time. V8 lets a heap grow to several times
 * what is alive before it looks; a backup's main thread would hold 20 MB of dead rows. Large buffers are freed by hand
 * instead, see `freeBuffer`.
 */
export function releaseMemory(): void {
  if (getHeapStatistics().used_heap_size < floor + GROWTH_BYTES) return;
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  floor = getHeapStatistics().used_heap_size;
}
