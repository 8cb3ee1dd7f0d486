import { HoldfastError } from '../domain/index.ts';

/** `storage/not-found`: there is no object of that name. */
export function objectNotFound(location: string, name: string, cause?: unknown): HoldfastError {
  return new HoldfastError('storage/not-found', 'never', `${location} holds no object "${name}".`, {
    data: { location, name },
    cause,
  });
}

/** `storage/unavailable`: a failure that may pass. `what` is a clause without a full stop. */
export function storageUnavailable(location: string, what: string, cause?: unknown): HoldfastError {
  const message = `${location} could not be used: ${what}. Try again; if it stays so, check the disk or connection.`;
  return new HoldfastError('storage/unavailable', 'retry', message, { data: { location }, cause });
}

/** `storage/read-only`: the place takes no changes. */
export function storageReadOnly(location: string, cause?: unknown): HoldfastError {
  const message = `${location} is read-only. Make it writable, or give a place that is.`;
  return new HoldfastError('storage/read-only', 'input', message, { data: { location }, cause });
}

/** `storage/bad-name`: where an object stands there can be no folder, and the other way round. */
export function nameTaken(location: string, name: string, cause?: unknown): HoldfastError {
  const message = `"${name}" cannot be stored in ${location}: it is a folder of another object, or lies below one.`;
  return new HoldfastError('storage/bad-name', 'never', message, { data: { location, name }, cause });
}

/** `storage/locked`: the object is held by a lock. `until` in milliseconds since 1970. */
export function objectLocked(location: string, name: string, until: number, cause?: unknown): HoldfastError {
  const message = `"${name}" in ${location} is locked until ${new Date(until).toISOString()}. Until then nobody can delete it or shorten that.`;
  return new HoldfastError('storage/locked', 'input', message, { data: { location, name, until }, cause });
}

/** `storage/no-lock`: objects cannot be locked there. */
export function noLocks(location: string, cause?: unknown): HoldfastError {
  const message = `${location} cannot lock objects. Object lock is chosen when a bucket is made: give one that was made with it, or leave the lock out.`;
  return new HoldfastError('storage/no-lock', 'input', message, { data: { location }, cause });
}

/** `storage/lock-failed`: the object is there, and not locked as it was asked to be. `what` is a clause without a full stop. */
export function lockFailed(location: string, name: string, what: string): HoldfastError {
  const message = `"${name}" in ${location} was put, and is not locked as it should be: ${what}. Do not rely on the locks of this place: holdfast storage test.`;
  return new HoldfastError('storage/lock-failed', 'never', message, { data: { location, name } });
}
