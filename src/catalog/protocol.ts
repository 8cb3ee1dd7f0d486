import type { ItemRow, RetryClass, RowChange } from '../domain/index.ts';
import type { PackedRows } from './packedRows.ts';
import type { SearchOperations } from './searchProtocol.ts';

/** What the client and its worker say to each other. Everything here survives a structured clone. */

export type PageOrder = 'name' | 'modified' | 'size';
export type Direction = 'ascending' | 'descending';

export interface PageOptions {
  /** The `next` of the page before it; opaque, valid only with the same order, direction and kind. */
  readonly after?: string | undefined;
  /** Rows wanted; more than {@link MAX_PAGE} is cut to it. */
  readonly limit: number;
  /** Only rows of this kind. 'folder' costs nothing; any other kind is picked out of the folder's items. */
  readonly kind?: string | undefined;
  readonly order?: PageOrder | undefined;
  readonly direction?: Direction | undefined;
}

export const MAX_PAGE = 1000;

export interface Page {
  readonly rows: ItemRow[];
  /** Absent when nothing follows. */
  readonly next?: string;
}

/** What lies directly in a folder. `bytes` sums the items' sizes. */
export interface ChildCount {
  readonly folders: number;
  readonly items: number;
  readonly bytes: number;
}

/** Sums over the snapshots started on one UTC day, each against the snapshot before it in the catalog. */
export interface DayCount {
  /** 'YYYY-MM-DD'. */
  readonly day: string;
  readonly snapshots: number;
  readonly added: number;
  /** Moved and renamed rows included. */
  readonly changed: number;
  readonly removed: number;
}

export interface RowDifference {
  readonly key: string;
  /** `moved`: another folder or name, all else but the source's change key as before. */
  readonly change: 'added' | 'changed' | 'moved' | 'removed';
  readonly before?: ItemRow;
  readonly after?: ItemRow;
}

export interface DiffPage {
  readonly changes: RowDifference[];
  /** Key to go on from; absent when nothing follows. */
  readonly next?: string;
}

/** One version of a key and the first and last snapshot that show it. */
export interface RowVersion {
  readonly row: ItemRow;
  readonly first: string;
  readonly last: string;
}

/** What the catalog keeps of a snapshot; a `SnapshotInfo` fits. */
export interface CatalogSnapshot {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** Against the snapshot before it in the catalog; folders included. */
export interface AddedCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Where a walk over a subtree stands: for each folder on the way down, the last subfolder entered. */
export type WalkState = readonly WalkStep[];
export interface WalkStep {
  readonly parent: number;
  /** 1 while the folder's own items are listed, 0 while its subfolders are. */
  readonly leaf: 0 | 1;
  readonly sort?: Uint8Array;
  readonly item?: number;
}

export interface KeyPage {
  readonly rows: ItemRow[];
  readonly next?: string;
}

export interface WalkPage {
  readonly rows: ItemRow[];
  readonly next?: WalkState;
}

/** `busy`: another process writes; `present`: the snapshot is there; `moved-on`: the base is not the last one. */
export type BeginAnswer = 'ready' | 'busy' | 'present' | 'moved-on';

export interface Operations extends SearchOperations {
  snapshots: { args: []; result: string[] };
  begin: { args: [info: CatalogSnapshot, base: string | undefined]; result: BeginAnswer };
  batch: { args: [changes: readonly RowChange[]]; result: null };
  commit: { args: []; result: AddedCounts };
  rollback: { args: []; result: null };
  drop: { args: [ids: readonly string[]]; result: 'done' | 'busy' };
  page: { args: [snapshot: string, parent: string, options: PageOptions]; result: Page };
  item: { args: [snapshot: string, key: string]; result: ItemRow | null };
  path: { args: [snapshot: string, key: string]; result: ItemRow[] };
  resolve: { args: [snapshot: string, path: readonly string[], limit: number]; result: ItemRow[] };
  childCount: { args: [snapshot: string, parent: string]; result: ChildCount };
  countsPerDay: { args: [fromDay: string, toDay: string]; result: DayCount[] };
  diff: { args: [before: string, after: string, from: string | undefined, limit: number]; result: DiffPage };
  history: { args: [key: string]; result: RowVersion[] };
  rows: { args: [snapshot: string, after: string | undefined, limit: number]; result: KeyPage };
  walk: { args: [snapshot: string, from: string | WalkState, limit: number]; result: WalkPage };
  close: { args: []; result: null };
}

export type OperationName = keyof Operations;
export type Arguments<K extends OperationName> = Operations[K]['args'];
export type Result<K extends OperationName> = Operations[K]['result'];

export interface Request {
  readonly id: number;
  readonly operation: OperationName;
  readonly args: readonly unknown[];
}

/** A HoldfastError as plain data. */
export interface Failure {
  readonly code: string;
  readonly retryClass: RetryClass;
  readonly message: string;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** `id` 0 answers the worker's own start. `rows` are those of a result that has `rows`, which comes without them. */
export type Reply =
  | { readonly id: number; readonly result: unknown; readonly rows?: PackedRows }
  | { readonly id: number; readonly failure: Failure };

/** Handed to the worker at its start. */
export type WorkerTask =
  | { readonly task: 'serve'; readonly place: CachePlace }
  | { readonly task: 'trim'; readonly directory: string; readonly maxBytes: number };

export interface CachePlace {
  readonly directory: string;
  /** SHA-256 of the entity's id, hex. */
  readonly entityHash: string;
  readonly generation: string;
  /** Hex, given to no other worker; names the files that this one makes. */
  readonly workerId: string;
  /** Milliseconds since 1970 UTC: the file's last use. */
  readonly usedAtMs: number;
}
