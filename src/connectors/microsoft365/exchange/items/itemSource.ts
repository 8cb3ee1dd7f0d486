import type { BinaryString, HoldfastError, ItemRow } from '../../../../domain/index.ts';
import type { SourceItem } from '../../../contract.ts';
import type { Entry } from '../../graph/pages.ts';

/** What the keys of one sub-service begin with; the id of the service follows. */
export interface ItemKeys {
  readonly folders: BinaryString;
  readonly items: BinaryString;
  /** Notices that the items of a folder could not be read. */
  readonly notices: BinaryString;
}

/** A folder whose items are listed. */
export interface ListedFolder {
  readonly id: string;
  readonly name: string;
  /** Items, as far as known. */
  readonly count?: number;
  /** Shown in this mailbox, and part of another. */
  readonly isForeign?: boolean;
}

/** Items of one kind that Graph lists folder by folder: how they are asked for, and what rows they become. `base` is the path that all requests begin with. */
export interface ItemSource {
  /** For sentences: what is done, and which permission it needs. */
  readonly purpose: string;
  readonly keys: ItemKeys;
  /** `list`: Graph has no delta query that tells all of them, so each round lists everything. */
  readonly mode: 'delta' | 'list';
  /** Path of the first request for a folder's items, with its query options. */
  start(base: string, folderId: string): string;
  /** Path of one item with the same options; undefined where the entry is whole already. Some deltas tell what changed alone. */
  restOf?(base: string, folderId: string, entry: Entry): string | undefined;
  listed(entry: Entry, folderId: string): SourceItem;
  /** Whether the stored content is that of the item as it is now, though its change key differs. */
  isSame(row: ItemRow, item: SourceItem): boolean;
  /** Of items that are kept as streams, too: differs when the stream has to be asked for again. */
  streamChange?(item: SourceItem): BinaryString;
  /** What a restore has to know of the item as it is in its stream: the fields of the stream's row. */
  streamMeta?(item: SourceItem): string;
  /** An item that is kept as a stream needs no other form. */
  readonly mayBeStreamAlone?: true;
}

/** How far a folder was read. */
export interface FolderRound {
  /** Where the round of the run before ended; undefined: there was none. */
  readonly from: string | undefined;
  /** Where the next round begins; undefined: with all items. */
  link: string | undefined;
  /** `unread`: it could not be read, or not once more, so it is not known which of its items are gone. The next round begins where this run's first did. */
  state: 'read' | 'unread';
  /** All its items were told, so what was not told is not there. */
  full: boolean;
  /** Grows when a round begins anew: what was told before counts no longer. */
  epoch: number;
  error?: HoldfastError;
  /** Unread because it belongs to another mailbox. */
  isForeign?: boolean;
  /** Unread because it was not found. One answer is no proof: whether it is there the next run sees, which lists all folders. */
  isMissing?: boolean;
  /** Items that it told of in part, and that were not found when the rest was asked for: in its latest reading. */
  notFound?: number;
  /** Records of the spool when its latest round began. */
  startedAt: number;
}

/** A record of the spool: folder, epoch, and the item, or null where it left the folder. */
export type ItemRecord = readonly [folderId: string, epoch: number, item: SourceItem | null];

/** The id behind a prefix of keys. */
export function idBehind(prefix: BinaryString, key: BinaryString): string {
  return key.slice(prefix.length);
}
