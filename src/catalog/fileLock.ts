import { closeSync, openSync, truncateSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isDamage } from './failures.ts';

/**
 * Takes the lock of a file, which is made where it is missing, within `waitMs`; else the error is busy (see failures.ts). It is SQLite's own, on an
 * empty file, because that ends with the process that holds it; closing what is given ends it too.
 */
export function lockFile(path: string, waitMs: number): DatabaseSync {
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: waitMs });
  try {
    begin(lock, path);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

function begin(lock: DatabaseSync, path: string): void {
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    if (!isDamage(error)) throw error;
    // Nothing is ever stored in it; it is emptied, not replaced, so that all go on locking the same file.
    truncateSync(path, 0);
    lock.exec('begin exclusive');
  }
}
