import { HoldfastError, messageOf } from '../domain/index.ts';
import { nameTaken, objectNotFound, storageReadOnly, storageUnavailable } from './storageErrors.ts';

/** What was tried on which object, for the message. `name` is a prefix for a listing. */
export interface FileOperation {
  readonly verb: 'read' | 'write' | 'list' | 'delete' | 'look at';
  readonly name: string;
}

/** The POSIX code of an error that the operating system gave, else undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

type Kind = 'missing' | 'clash' | 'full' | 'denied' | 'read-only';

/** What is not named here may pass: EIO, ESTALE, EMFILE, ETIMEDOUT, … */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['ENOENT', 'missing'],
  // O_NOFOLLOW met a symbolic link, which no put has made.
  ['ELOOP', 'missing'],
  ['ENOTDIR', 'clash'],
  ['EEXIST', 'clash'],
  ['EISDIR', 'clash'],
  ['ENOTEMPTY', 'clash'],
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EACCES', 'denied'],
  ['EPERM', 'denied'],
  ['EROFS', 'read-only'],
]);

/**
 * The contract's error for an error of the operating system. Anything else (a HoldfastError, the reason of an abort,
 * a bug) comes back as it is.
 */
export function fileError(error: unknown, location: string, operation: FileOperation): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  const { verb, name } = operation;
  const kind = KINDS.get(errno);
  if (verb === 'read' && (kind === 'missing' || kind === 'clash')) return objectNotFound(location, name, error);
  if (verb === 'write' && kind === 'clash') return nameTaken(location, name, error);
  if (kind === 'read-only') return storageReadOnly(location, error);
  const what = name === '' ? location : `"${name}" in ${location}`;
  const facts = { data: { location, name, errno }, cause: error };
  if (kind === 'full') {
    const message = `${location} is full (${errno}). Free some space there, or use a larger disk. Nothing is lost.`;
    return new HoldfastError('storage/full', 'input', message, facts);
  }
  if (kind === 'denied') {
    const message = `This user may not ${verb} ${what}. Give it that right, or run as the user who owns the folder.`;
    return new HoldfastError('storage/denied', 'input', message, facts);
  }
  return storageUnavailable(location, `to ${verb} ${what} failed (${messageOf(error)})`, error);
}
