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

/**
 * The contract's error for an error of the operating system. Anything else (a HoldfastError, the reason of an abort,
 * a bug) comes back as it is.
 */
export function fileError(error: unknown, location: string, operation: FileOperation): unknown {
  const errno = errnoOf(error);
  const { verb, name } = operation;
  const data = { location, name, errno: errno ?? null };
  const what = name === '' ? location : `"${name}" in ${location}`;
  switch (errno) {
    case undefined:
      return error;
    case 'ENOENT':
      if (verb !== 'read') break;
      return objectNotFound(location, name, error);
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTEMPTY':
      return verb === 'write' ? nameTaken(location, name, error) : objectNotFound(location, name, error);
    // O_NOFOLLOW met a symbolic link, which no put has made.
    case 'ELOOP':
      return objectNotFound(location, name, error);
    case 'ENOSPC':
    case 'EDQUOT':
      return new HoldfastError(
        'storage/full',
        'input',
        `${location} is full (${errno}). Free some space there, or use a larger disk; nothing stored is lost.`,
        { data, cause: error },
      );
    case 'EACCES':
    case 'EPERM':
      return new HoldfastError(
        'storage/denied',
        'input',
        `This user may not ${verb} ${what}. Give it that right, or run as the user who owns the folder.`,
        { data, cause: error },
      );
    case 'EROFS':
      return storageReadOnly(location, error);
  }
  return storageUnavailable(location, `to ${verb} ${what} failed (${messageOf(error)})`, error);
}
