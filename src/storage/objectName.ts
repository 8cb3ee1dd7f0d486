import { HoldfastError } from '../domain/index.ts';

const MAX_NAME = 512;
/** What file systems allow for one component of a path. */
const MAX_SEGMENT = 255;
const SEGMENT = /^[a-z0-9._-]+$/;
const PARTIAL_SEGMENT = /^[a-z0-9._-]*$/;

/** Whether one '/'-separated part of a name is allowed. */
export function isNameSegment(segment: string): boolean {
  return SEGMENT.test(segment) && segment.length <= MAX_SEGMENT && segment !== '.' && segment !== '..';
}

/**
 * Throws `storage/bad-name` (class never) unless `name` is made of '/'-separated segments of [a-z0-9._-], none of
 * them empty, '.', '..' or longer than 255, at most 512 characters in all. What passes is safe to join to a path.
 */
export function checkObjectName(name: string): void {
  if (!isObjectName(name)) throw badName('An object name', name);
}

/** Whether {@link checkObjectName} lets it pass: what else lies in a place is none of ours. */
export function isObjectName(name: string): boolean {
  return name.length <= MAX_NAME && name.split('/').every(isNameSegment);
}

/** Throws `storage/bad-name` unless an object name may start with `prefix`, whose last segment may be partial. */
export function checkPrefix(prefix: string): void {
  const segments = prefix.split('/');
  const last = segments.pop() ?? '';
  const sound = prefix.length <= MAX_NAME && PARTIAL_SEGMENT.test(last) && segments.every(isNameSegment);
  if (!sound) throw badName('A prefix of object names', prefix);
}

function badName(what: string, name: string): HoldfastError {
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const rule = 'consists of parts of a-z, 0-9, ".", "_" and "-" with "/" between them, at most 512 characters';
  return new HoldfastError('storage/bad-name', 'never', `${what} ${rule}; this does not: ${JSON.stringify(shown)}.`, {
    data: { name: shown },
  });
}
