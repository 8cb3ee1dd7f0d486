import type { Clock, RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';

/** What all parts of an open repository share. */
export interface RepositoryContext {
  /** Where the repository is locked, a {@link LockingStorage}. */
  readonly storage: Storage;
  readonly keyring: Keyring;
  /** Private directory of this repository's local caches; may be deleted at any time. */
  readonly cacheDirectory: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
}
