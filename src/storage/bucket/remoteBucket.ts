import type { Watch } from './watchedCall.ts';

/** The bytes [start, end) of an object; `version` as {@link RemoteBucket.look} gave it: only of that one. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly version?: string;
}

/** What a server says of an object without giving its bytes. */
export interface ObjectState {
  readonly size: number;
  /** Differs after each put. */
  readonly version: string;
}

export interface KeyInfo {
  readonly key: string;
  readonly size: number;
}

/** A part of a listing as the server gave it; `page` is what the next request has to name. */
export interface KeyPage {
  readonly keys: readonly KeyInfo[];
  readonly page: string | undefined;
}

export interface KeyQuery {
  readonly prefix: string;
  /** The first key of interest: a server that knows no such thing may give earlier ones too. */
  readonly from: string | undefined;
  readonly limit: number;
  readonly page: string | undefined;
}

/** What was tried, for messages. */
export interface RemoteOperation {
  readonly verb: 'read' | 'write' | 'list' | 'delete' | 'look at';
  /** The object's name; the prefix of a listing. */
  readonly name: string;
}

/** As {@link PartUpload}, in the service's own errors. */
export interface RemoteUpload {
  part(number: number, bytes: Uint8Array, start: number, watch: Watch): Promise<void>;
  finish(number: number, bytes: Uint8Array, start: number, watch: Watch): Promise<void>;
  abandon(watch: Watch): Promise<void>;
}

/**
 * One container of a service that keeps objects: each call is as few requests as the service allows, tried once.
 * Keys are whole names with the repository's prefix. Errors are the service's own; {@link RemoteBucket.explain} turns
 * them into the contract's. `RemoteStorage` makes a storage of it.
 */
export interface RemoteBucket {
  /** For messages: an address without secrets. */
  readonly location: string;
  /** Zero bytes for a span after the end. */
  read(key: string, span: Span | undefined, watch: Watch): Promise<Uint8Array>;
  /** The last `length` bytes, or the whole of a shorter object; undefined for a service that cannot do it in one request. */
  readonly readEnd: ((key: string, length: number, watch: Watch) => Promise<Uint8Array>) | undefined;
  look(key: string, watch: Watch): Promise<ObjectState | undefined>;
  write(key: string, parts: readonly Uint8Array[], watch: Watch): Promise<void>;
  /** For objects larger than memory. */
  begin(key: string, watch: Watch): Promise<RemoteUpload>;
  list(query: KeyQuery, watch: Watch): Promise<KeyPage>;
  /** Succeeds where there is none. */
  remove(key: string, watch: Watch): Promise<void>;
  /** The contract's error for what one of these calls rejected with; what is not the service's comes back as it is. */
  explain(error: unknown, operation: RemoteOperation): unknown;
}
