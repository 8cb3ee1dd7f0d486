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
