import type { ItemRow } from '../domain/index.ts';

/** A version whose words nobody has looked at. */
export interface PendingVersion {
  /** The catalog's number of it. */
  readonly version: number;
  readonly row: ItemRow;
}

/** Pending versions that ended with the same snapshot. */
export interface PendingGroup {
  readonly last: number;
  /** A kept snapshot that shows them all. */
  readonly snapshot: string;
}

/** What is searched for in one version of an item; versions of an item with the same `signature` are one document. */
export interface IndexedVersion {
  readonly version: number;
  /** Any text that differs whenever one of the words below or the date may. */
  readonly signature: string;
  /** Milliseconds since 1970 UTC. */
  readonly date: number | null;
  readonly name: string;
  readonly authors: string;
  readonly recipients: string;
  readonly text: string;
  readonly files: string;
  /** Why `text` and `files` are missing: the code of an error; undefined where they are not. */
  readonly failure?: string | undefined;
}

export type SignedVersion = Pick<IndexedVersion, 'version' | 'signature'>;

/** What a person asks for: all of it must hold. Each text is read as docs/search.md says; a text without a word is `search/no-words` (input). */
export interface SearchQuery {
  /** In any field. */
  readonly words?: string | undefined;
  readonly name?: string | undefined;
  readonly author?: string | undefined;
  readonly recipient?: string | undefined;
  /** Path of a folder, names joined by '/', at any time: the items in it and below it. */
  readonly folder?: string | undefined;
  /** Milliseconds since 1970 UTC, by the second; the first is included, the second is not. */
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

/** A place in the order of all hits, newest first; whole seconds and a number that tells those of one second apart. */
export type HitPlace = number;

export interface SearchOptions {
  readonly limit: number;
  /** Only hits after this place. */
  readonly after?: HitPlace | undefined;
  /** The hit at `after` too. */
  readonly inclusive?: boolean | undefined;
  /** Only what this snapshot shows. One that the catalog does not hold: `catalog/no-snapshot`. */
  readonly snapshot?: string | undefined;
}

/**
 * A document: the row of its last version, or of that which the snapshot asked for shows, and the first and last kept snapshot that show one
 * of its versions.
 */
export interface SearchHit {
  readonly place: HitPlace;
  readonly row: ItemRow;
  /** Names of the folders above it, top first, at the snapshot asked for, else at `last`. */
  readonly path: readonly string[];
  readonly first: string;
  readonly last: string;
}

export interface HitPage {
  readonly hits: SearchHit[];
  /** Whether more follow. */
  readonly more: boolean;
  /** False where the entity never had the folder that was asked for. */
  readonly folder: boolean;
}

export interface SearchStatus {
  /** Versions that no search finds yet. */
  readonly pending: number;
  /** Documents whose words could not be read; they are found by what their rows say. */
  readonly failed: number;
  /** Whether any document is there. */
  readonly begun: boolean;
}

/** What the searching part of the client and its worker say to each other. */
export interface SearchOperations {
  claimIndexing: { args: []; result: 'mine' | 'busy' };
  releaseIndexing: { args: []; result: null };
  pendingGroup: { args: [below: number | undefined]; result: PendingGroup | null };
  pending: { args: [last: number, after: number, limit: number]; result: PendingVersion[] };
  link: { args: [versions: readonly SignedVersion[]]; result: readonly number[] | 'busy' };
  index: { args: [versions: readonly IndexedVersion[]]; result: 'done' | 'busy' };
  tidy: { args: []; result: 'done' | 'more' | 'busy' };
  search: { args: [query: SearchQuery, options: SearchOptions]; result: HitPage };
  searchStatus: { args: []; result: SearchStatus };
  searchFailures: { args: [limit: number]; result: { row: ItemRow; failure: string }[] };
}
