import type { BinaryString, Effort, Entity, ItemRow, Outcome, PreviewCard, Progress } from '../domain/index.ts';
import type { TextFormat } from '../formats/index.ts';

/** How a row of a service looks in a directory tree. */
export interface DiskEntry {
  /** Bytes of the file name (never '/', '.' of the root apart). */
  readonly name: BinaryString;
  /** Permission bits; without them the process's defaults are kept. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Nanoseconds since 1970 UTC. */
  readonly modifiedNs?: bigint;
  /** A symbolic link with this target instead of a file. */
  readonly link?: BinaryString;
}

/** What of a service's items can be searched for, besides the name and the time of each. */
export interface Searchable {
  /** What people call the fields; a field without a title does not exist here. */
  readonly titles: { readonly name: string; readonly author?: string; readonly recipient?: string };
  /** How the content of an item is read for its words; undefined where it has none. Must give the same for equal rows. */
  readonly format: (row: ItemRow) => TextFormat | undefined;
  /** Names and addresses that the row itself tells; '' where there are none. */
  readonly fields: (row: ItemRow) => { readonly author: string; readonly recipients: string };
}

/**
 * How items of a service are shown. `mail`: their content is a mail · `file`: whatever their name says · `card`: a JSON document, of which `card` makes a card · `row`: the same without
 * a content · undefined: not at all.
 */
export interface Previewable {
  readonly form: (row: ItemRow) => 'mail' | 'file' | 'card' | 'row' | undefined;
  /** Of the document of an item, which may be any JSON; undefined for a `row`. Never throws, takes no longer than the document is long, and gives no more than it has. */
  readonly card?: (row: ItemRow, document: unknown) => Promise<PreviewCard>;
}

/** What a service is called and how its items look; everything that a person sees comes from here. */
export interface Descriptor {
  /** Stable word: 'folder', 'imap' … */
  readonly service: string;
  readonly title: string;
  /** Kinds of items besides 'folder', with the file name extension that one gets when written to disk ('' keeps its name). */
  readonly kinds: Readonly<Record<string, { readonly title: string; readonly extension: string }>>;
  /** What it cannot do, in words that a person reads. */
  readonly limits: readonly string[];
  readonly search: Searchable;
  readonly preview: Previewable;
  /** The form that a row takes when it is given back into a directory. */
  readonly onDisk: (row: ItemRow) => DiskEntry;
  /** Whether a folder holds what the service keeps for legal reasons alone: exports take it along when told. Undefined: there are no such folders. */
  readonly isHeld?: (folder: ItemRow) => boolean;
}

/**
 * An item as the source lists it: a row without what only the stored content gives. Fields may be computed when they
 * are asked for (getters of a class): copy them by name, a spread would lose them.
 */
export type SourceItem = Omit<ItemRow, 'outcome' | 'content'>;

/**
 * What an enumeration tells. Keys never go backwards within one enumeration (byte order): the backup merges the
 * changes with the previous snapshot in one pass and holds neither in memory.
 *
 * - `listing`: all items under `prefix` follow in ascending order until `listed`; what the previous snapshot has under
 *   that prefix and is not listed is gone. Prefix '' is everything.
 * - `item`: exists (inside a listing), or is new or changed (outside of one). `content`: where its bytes are –
 *   'none' (folders) · 'file' (the pipeline reads the path itself) · 'fetch' (ask {@link SourceSession.fetch}) ·
 *   'previous' (bytes of that previous key, which the connector proved to be the same) · 'kept' (bytes unchanged, only fields differ).
 *   With an unchanged change key inside a listing the content is not looked at.
 * - `unknown`: inside a listing, where nothing could be learned of what lies under `prefix` (a folder that cannot be
 *   read; its `exception` came just before). The previous snapshot's rows there are kept as they are, not gone.
 * - `removed`: the key, or everything under the prefix, is gone.
 * - `exception`: exists but was not read, and why; the row is kept with that outcome and without content.
 */
export type SourceChange =
  | { readonly type: 'listing'; readonly prefix: BinaryString }
  | { readonly type: 'listed'; readonly prefix: BinaryString }
  | { readonly type: 'item'; readonly item: SourceItem; readonly content: SourceContent }
  | { readonly type: 'exception'; readonly item: SourceItem; readonly outcome: Outcome }
  | { readonly type: 'unknown'; readonly prefix: BinaryString }
  | { readonly type: 'removed'; readonly key: BinaryString }
  | { readonly type: 'removedPrefix'; readonly prefix: BinaryString };

export type SourceContent =
  | { readonly from: 'none' }
  | { readonly from: 'file'; readonly path: BinaryString }
  | { readonly from: 'fetch' }
  | { readonly from: 'kept' }
  | { readonly from: 'previous'; readonly key: BinaryString };

/** The previous snapshot, as far as a connector may look. */
export interface PreviousState {
  /** Rows whose key starts with `prefix`, ascending, in batches. */
  rows(prefix: BinaryString): AsyncIterable<readonly ItemRow[]>;
}

export interface EnumerateContext {
  /** The cursor that the previous snapshot holds (JSON text), undefined on a first run. */
  readonly cursor: string | undefined;
  readonly previous: PreviousState;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Told how many items and exceptions this enumeration gives in all, each time that the source knows better. For people who wait: nothing relies on it. */
  readonly expect?: (items: number) => void;
  /** Told how far the source's own work is, fetching included, each time that it went on; only by sources of which the items differ in what they cost. For people who wait, too. */
  readonly effort?: (effort: Effort) => void;
}

/** What fetching one item gave. The item may be richer than when it was listed (its subject, say); the key is the same. */
export type Fetched =
  | { readonly item: SourceItem; readonly bytes: Uint8Array }
  /** Content too large for memory, spooled by the connector into `scratch`; the pipeline deletes the file. */
  | { readonly item: SourceItem; readonly file: string }
  | { readonly item: SourceItem; readonly outcome: Outcome };

export interface FetchContext {
  /** An existing private directory for contents too large for memory (over 8 MiB). */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** One connected reading session of one entity. */
export interface SourceSession {
  readonly entity: Entity;
  /** Batches of changes. The cursor is asked for afterwards. */
  enumerate(context: EnumerateContext): AsyncIterable<readonly SourceChange[]>;
  /**
   * The cursor for the next run, taken before the listing that it follows; asked for once `enumerate` and the last `fetch`
   * have ended. It makes the next run offer again what failed in this one. undefined: none, the next run lists everything.
   */
  cursor(): string | undefined;
  /**
   * Contents of items given as 'fetch', in any order, each exactly once (an item that vanished in between gives an outcome).
   * Called with batches of items while `enumerate` is suspended or running. They are the very objects that it gave: a connector may carry in them
   * what it knows already.
   */
  fetch(items: readonly SourceItem[], context: FetchContext): AsyncIterable<Fetched>;
  close(): Promise<void>;
}

/** How a restore treats what stands at the destination. */
export type RestoreMode = 'separate' | 'replace' | 'skip';

export type WriteResult =
  | { readonly result: 'written' | 'replaced' | 'unchanged' | 'skipped' }
  | { readonly result: 'failed' | 'altered'; readonly outcome: Outcome };

/** An item on its way back: its row and the names of the folders above it, top first. */
export interface RestoreItem {
  readonly row: ItemRow;
  readonly path: readonly string[];
  /** The same in another form, whole as of the snapshot; see `COMPANION`. */
  readonly companion?: ItemRow;
}

/** Whether rows of a kind are given back. `not-yet`: they are content that cannot be; `remark`: they say something about the snapshot, and nobody misses them. */
export type RestoreScope = 'given' | 'not-yet' | 'remark';

/** One connected writing session. Folders come before what they hold. */
export interface TargetSession {
  /** Asked for each row first; the methods below see only what is 'given'. undefined: all are. */
  scope?(row: ItemRow): RestoreScope;
  /** Calls of `write` that may run at once; undefined: one. */
  readonly parallel?: number;
  /** What would be done, without content and without writing: 'written', 'replaced', 'unchanged' or 'skipped'. */
  plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]>;
  /** Makes the folder where it is missing. */
  folder(item: RestoreItem, signal: AbortSignal): Promise<WriteResult>;
  /** Of an item that is about to be written: which of its rows `write` is to be handed the content of. undefined: always the item's own. */
  reads?(item: RestoreItem, signal: AbortSignal): Promise<ItemRow>;
  /** Writes an item that `plan` gave 'written' or 'replaced'. `bytes` are the whole content of the row that is read, verified; empty where it has none. `read` gives that of the item's other row. */
  write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal, read?: (row: ItemRow) => Promise<Uint8Array>): Promise<WriteResult>;
  /** After the last item; throws if something acknowledged did not arrive. */
  finish(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What a target session writes down of a change: JSON that the connector alone understands. `item` is what people call the thing. */
export interface ChangeNote {
  readonly item: string;
  /** It is about a folder: it is taken back after everything that is not, whenever it was noted. */
  readonly isFolder?: true;
  readonly [field: string]: unknown;
}

/**
 * Where a target session writes its changes down, so that they can be taken back. A change is made only after its note is durable. Notes hold what customers
 * wrote: whoever keeps them seals them.
 */
export interface ChangeJournal {
  /** Names the restore; fit to be written upon what it makes. */
  readonly id: string;
  /** Durable when it resolves. The numbers, in the order of the notes, by which {@link did} names them. Throws where the restore is being taken back. */
  intend(notes: readonly ChangeNote[]): Promise<readonly number[]>;
  /** The change of that number was made, and this is what came of it. Becomes durable with what follows; a change without it may have been made, whole, in part or not at all. */
  did(number: number, outcome: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A change as it was written down. */
export interface NotedChange {
  readonly number: number;
  readonly note: ChangeNote;
  /** undefined: nobody knows how far it came. */
  readonly outcome: Readonly<Record<string, unknown>> | undefined;
}

/**
 * What became of one change that was to be taken back. `undone`: it was (with a dry run: would be). `nothing`: there was nothing to take back, because it was never made or
 * is away already. `altered`: it was, but not all of it is as it was. `left`: somebody changed since what the restore had left, so it stays. `failed`: it could not be; another run tries again.
 */
export interface UndoResult {
  readonly result: 'undone' | 'nothing' | 'altered' | 'left' | 'failed';
  /** With the last three. */
  readonly code?: string;
  readonly message?: string;
}

/** One connected session that takes a restore back. */
export interface UndoSession {
  /** Results in the order of the changes, which come latest first. Done twice it ends the same: what is as it was before the restore is left alone. With `dryRun` nothing is written. */
  undo(changes: readonly NotedChange[], options: { readonly dryRun: boolean; readonly signal: AbortSignal }): Promise<readonly UndoResult[]>;
  close(): Promise<void>;
}
