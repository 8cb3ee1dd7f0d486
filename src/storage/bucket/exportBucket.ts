/** An object on its way in parts. A part that failed may be given again; parts come in order. */
export interface PartUpload {
  /** `start`: how many bytes came before; `number` counts from 0. */
  part(number: number, bytes: Uint8Array, start: number, signal: AbortSignal): Promise<void>;
  /** The last part, never empty: the object stands whole when this returns, and not before. */
  finish(number: number, bytes: Uint8Array, start: number, signal: AbortSignal): Promise<void>;
  /** Nothing of it stays, but what the service clears away by itself. Succeeds where it is gone. */
  abandon(signal: AbortSignal): Promise<void>;
}

/** An upload that somebody began and did not end. */
export interface UnfinishedUpload extends Pick<PartUpload, 'abandon'> {
  readonly key: string;
}

/**
 * What a service with buckets does for exports. Keys are whole, of any UTF-8. Each call is tried once, bounded, and rejects with the errors of the
 * storage contract; the service proves what arrives by its checksum.
 */
export interface ExportBucket {
  /** For messages: an address without secrets. */
  readonly location: string;
  /** Stands before the names of all objects: '' or with a '/' at its end. */
  readonly prefix: string;
  /** Some keys that start so, in ascending order, maybe none, and what to ask for the next ones. */
  keys(prefix: string, page: string | undefined, signal: AbortSignal): Promise<{ readonly keys: readonly string[]; readonly page: string | undefined }>;
  /** A small object, whole. */
  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  begin(key: string, signal: AbortSignal): Promise<PartUpload>;
  /** Unfinished uploads to keys that start so, by pages as keys are; undefined: the service forgets them by itself. */
  readonly unfinished: ((prefix: string, page: string | undefined, signal: AbortSignal) => Promise<{ readonly uploads: readonly UnfinishedUpload[]; readonly page: string | undefined }>) | undefined;
  /** Succeeds where there is none. */
  remove(key: string, signal: AbortSignal): Promise<void>;
}

const MIB = 1024 * 1024;
/** The first 5000 parts (40 GiB) have 8 MiB; later ones 64, so that 10,000, which is the most that a service takes, are enough for 350 GiB. */
const FIRST_PARTS = 5000;

/** All services want all parts but the last to have the same size, or do not mind; beyond 40 GiB there are other limits. */
export function partBytes(number: number): number {
  return number < FIRST_PARTS ? 8 * MIB : 64 * MIB;
}

export const MOST_PARTS = 10_000;
