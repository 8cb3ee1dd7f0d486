import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isBusy } from './failures.ts';
import { lockFile } from './fileLock.ts';

const FILE = 'indexing';

/** The right to make search indexes: one worker a directory of caches has it, because reading all contents of an entity is the work of a whole machine. */
export class IndexingClaim {
  readonly #path: string;
  #lock: DatabaseSync | undefined;

  /** `cache` is any file of the directory. */
  constructor(cache: string) {
    this.#path = join(dirname(cache), FILE);
  }

  take(): 'mine' | 'busy' {
    try {
      this.#lock ??= lockFile(this.#path, 0);
      return 'mine';
    } catch (error) {
      if (isBusy(error)) return 'busy';
      throw error;
    }
  }

  release(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }
}
