import { HoldfastError, isHoldfastError, messageOf } from '../domain/index.ts';
import type { Failure } from './protocol.ts';

// Primary result codes of SQLite (sqlite.org/rescode.html); the upper bits of an extended code are cut off.
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
const IOERR_SHORT_READ = 522;

function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** The file's content is broken, as opposed to the disk or the question. */
export function isDamage(error: unknown): boolean {
  if (isHoldfastError(error)) return error.code === 'catalog/damaged';
  const code = sqliteCode(error);
  if (code === undefined) return false;
  return code === IOERR_SHORT_READ || (code & 0xff) === CORRUPT || (code & 0xff) === NOTADB;
}

export function isBusy(error: unknown): boolean {
  const code = (sqliteCode(error) ?? 0) & 0xff;
  return code === BUSY || code === LOCKED;
}

export function damagedError(cause?: unknown): HoldfastError {
  return new HoldfastError(
    'catalog/damaged',
    'retry',
    'The local catalog was damaged and has been emptied. Fill it again from the repository; no backup is affected.',
    { cause },
  );
}

function classify(error: unknown): HoldfastError {
  if (isHoldfastError(error)) return error;
  if (isDamage(error)) return damagedError(error);
  const primary = (sqliteCode(error) ?? 0) & 0xff;
  const detail = messageOf(error);
  if (primary === BUSY || primary === LOCKED) {
    return new HoldfastError('catalog/busy', 'retry', `Another process works on this catalog; try again (${detail}).`);
  }
  if (primary === FULL || primary === IOERR) {
    const text = `The catalog's cache directory cannot be read or written; free some space there (${detail}).`;
    return new HoldfastError('catalog/disk', 'retry', text);
  }
  if (primary === READONLY || primary === CANTOPEN || hasSystemCode(error)) {
    const text = `The catalog's cache directory cannot be used; check its path and permissions (${detail}).`;
    return new HoldfastError('catalog/unusable-directory', 'input', text);
  }
  return new HoldfastError('catalog/failed', 'never', `The catalog could not answer: ${detail}.`, { cause: error });
}

function hasSystemCode(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** For the way from the worker to the caller. */
export function toFailure(error: unknown): Failure {
  const { code, retryClass, message, data } = classify(error);
  return { code, retryClass, message, data };
}

export function fromFailure(failure: Failure): HoldfastError {
  return new HoldfastError(failure.code, failure.retryClass, failure.message, { data: { ...failure.data } });
}
