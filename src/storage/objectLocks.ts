import type { Range } from './contract.ts';

/** `compliance`: nobody can shorten it. `governance`: those can who have a right of their own for it. */
export type LockMode = 'compliance' | 'governance';

/** How a stored version is kept from being deleted. */
export interface Lock {
  readonly mode: LockMode;
  /** Milliseconds since 1970; counted in whole seconds. */
  readonly until: number;
}

/** What a place says of itself. */
export interface LockState {
  /** Whether objects can be locked there. */
  readonly available: boolean;
  /** What the place locks by itself, where it does so. */
  readonly rule?: { readonly mode: LockMode; readonly days: number };
}

/** One put of an object, as a place with versions keeps it. */
export interface ObjectVersion {
  readonly id: string;
  readonly size: number;
  /** Equal for equal bytes that were put in the same way. */
  readonly etag: string;
}

/** All that a place keeps under one name. */
export interface VersionedObject {
  readonly name: string;
  /** Newest first, without deletions. */
  readonly versions: readonly ObjectVersion[];
  /** Ids of the marks that deletions left. */
  readonly deletions: readonly string[];
  /** The newest thing of all is a deletion: listings do not show the object, and gets do not find it. */
  readonly deleted: boolean;
}

export interface VersionPage {
  /** In ascending byte order of name, each with all its versions. */
  readonly objects: readonly VersionedObject[];
  /** Give it as `after` for the next page; undefined on the last. */
  readonly next?: string;
}

interface Call {
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a place can do that keeps versions and locks them. A lock holds one version against everybody, this program
 * included; it does not keep others from putting a new version, or the mark of a deletion, on top of it. A plain `put`
 * with a lock and a plain `delete` do just that, so that who deletes must ask first.
 */
export interface ObjectLocks {
  state(options?: Call): Promise<LockState>;
  /** Objects whose name starts with `prefix` and sorts after `after`; about `limit` of them (default 1000). */
  versions(prefix: string, options?: Call & { readonly after?: string | undefined; readonly limit?: number | undefined }): Promise<VersionPage>;
  /** Bytes of one version, as `get` gives those of the newest. */
  read(name: string, version: string, options?: Call & { readonly range?: Range | undefined }): Promise<Uint8Array>;
  /** undefined: it is not locked. A lock whose time has passed is given as it was. */
  lockOf(name: string, version: string, options?: Call): Promise<Lock | undefined>;
  /** Locks a version and reads back that it is. What would shorten a lock is refused: `storage/locked` (class input). */
  lock(name: string, version: string, lock: Lock, options?: Call): Promise<void>;
  /** Takes one version, or one mark of a deletion, away for good. `storage/locked` (class input) while a lock holds it. */
  remove(name: string, version: string, options?: Call): Promise<void>;
}
