import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Collects garbage now, in this thread. V8 lets a heap grow to several times what is alive before it looks; a backup's
 * main thread would hold 20 MB of dead rows. Costs about 10 ms, so callers bound how often. Large buffers are freed by
 * hand instead, see `freeBuffer`.
 */
export function releaseMemory(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
