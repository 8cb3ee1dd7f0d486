import { closeSync, openSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy, isDamage } from './failures.ts';

const FILE = 'indexing';

/**
 * The right to make search indexes: one worker a directory of caches has it, because reading all contents of an entity is the work of a whole machine.
 * It is a lock of SQLite's on an empty file, which ends with the process that holds it.
 */
export class IndexingClaim {
  readonly #path: string;
  #lock: DatabaseSync | undefined;

  /** `cache` is any file of the directory. */
  constructor(cache: string) {
    this.#path = join(dirname(cache), FILE);
  }

  take(): 'mine' | 'busy' {
    if (this.#lock) return 'mine';
    closeSync(openSync(this.#path, 'a', 0o600));
    const lock = new DatabaseSync(this.#path, { timeout: 0 });
    try {
      begin(lock, this.#path);
      this.#lock = lock;
      return 'mine';
    } catch (error) {
      lock.close();
      if (isBusy(error)) return 'busy';
      throw error;
    }
  }

  release(): void {
    this.#lock?.close();
    this.#lock = undefined;
  }
}

function begin(lock: DatabaseSync, path: string): void {
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Nothing is ever stored in it.
    truncateSync(path, 0);
    lock.exec('begin exclusive');
  }
}
