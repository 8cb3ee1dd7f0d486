import type { Repository } from '../../src/repository/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { copyStorage } from './fixture.ts';
import { StoppedStorage } from './stoppedStorage.ts';

export interface StoppedWork<T> {
  /** What each round begins with, copied. */
  readonly start: Storage;
  /** How it is copied, where more than objects counts. */
  readonly copy?: () => Storage;
  readonly seed: number;
  /** Every how many-th operation is tried, from a different first one for each seed. */
  readonly step: number;
  /** Whoever is stopped never goes on. */
  readonly killed?: boolean;
  readonly open: (storage: Storage) => Promise<Repository>;
  readonly work: (repository: Repository) => Promise<T>;
  /** What happens while it is stopped; not in the last round, which runs through. */
  readonly meanwhile: (storage: Storage) => Promise<void>;
  /** `made`: what the work gave; undefined where it was killed. */
  readonly after: (storage: Storage, made: T | undefined) => Promise<void>;
}

/** Runs work stopped before its operations, each in a round of its own. @returns the number of the operation that it never reached. */
export async function stoppedEverywhere<T>(
  { start, copy, seed, step, killed = false, open, work, meanwhile, after }: StoppedWork<T>,
): Promise<number> {
  for (let k = 1 + (seed % step); ; k += step) {
    const storage = copy ? copy() : await copyStorage(start);
    const stopped = new StoppedStorage(storage, k);
    const working = open(stopped).then(work);
    working.catch(() => {});
    const reached = await Promise.race([stopped.stopped.then(() => true), working.then(() => false)]);
    try {
      if (reached) await meanwhile(storage);
      if (!killed) stopped.go();
      await after(storage, killed && reached ? undefined : await working);
    } catch (error) {
      throw new Error(`stopped at ${stopped.stoppedAt} (HOLDFAST_SEED=${seed})`, { cause: error });
    }
    if (!reached) return k;
  }
}
