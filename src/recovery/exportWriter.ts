import type { DiskEntry } from '../connectors/contract.ts';
import type { ItemRow } from '../domain/index.ts';

/** An item on its way out of a snapshot. */
export interface OutgoingItem {
  readonly row: ItemRow;
  readonly entry: DiskEntry;
  /** Where it goes: '/'-separated, its file name last. */
  readonly path: string;
  /** Key of the folder that it lies in. */
  readonly folder: string;
  /** What there is instead of a stored content: a link's target. */
  readonly bytes?: Uint8Array;
}

/** Too large for memory. Each call of `pieces` reads it again; it throws before the last piece where something is wrong. */
export interface LargeContent {
  pieces(): AsyncIterable<Uint8Array>;
}

export interface Outgoing {
  readonly item: OutgoingItem;
  readonly content: Uint8Array | LargeContent;
}

/** Makes the files of one format. Items of a batch come in the order of their keys. */
export interface ExportWriter {
  /** A folder, before what it holds. */
  folder(row: ItemRow, entry: DiskEntry, path: string): Promise<void>;
  /** Writes items, and tells the log of each. */
  items(batch: readonly Outgoing[]): Promise<void>;
  /** Finishes what is open. */
  finish(): Promise<void>;
  /** Ends without the file that is open. */
  abandon(): Promise<void>;
}

export function isLarge(content: Uint8Array | LargeContent): content is LargeContent {
  return !(content instanceof Uint8Array);
}
