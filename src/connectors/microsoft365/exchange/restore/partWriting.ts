import type { ItemRow } from '../../../../domain/index.ts';
import type { SourceItem, WriteResult } from '../../../contract.ts';
import type { Entry } from '../../graph/pages.ts';
import type { FolderSource } from '../items/folders.ts';
import type { TargetAccess } from '../subTarget.ts';
import type { Losses } from './losses.ts';
import type { Origin } from './origin.ts';

/** How the folders of a part are written: contact folders, calendars, task lists. */
export interface FolderWriting {
  /** As backups list them. */
  readonly source: FolderSource;
  /** For sentences: with the permission for writing. */
  readonly purpose: string;
  /** They lie in each other. False: all lie side by side, so what is restored beside gets the name of its folder in front. */
  readonly isNested: boolean;
  /** The word by which programs know a folder ('default'), whatever people call it; '' for all others. */
  wellKnown(folder: Entry): string;
  /** Path to make one by POST; `parentId` '': at the top. */
  createPath(base: string, parentId: string): string;
  /** Path of one. */
  path(base: string, id: string): string;
  /** What it is made with besides its name, and what `replace` sets again. */
  fields(folder: Entry): Entry;
  /** For folders of the snapshot whose items are not given back: why. */
  leave?(folder: Entry): WriteResult | undefined;
  /** False for a folder of the destination in which nothing is written. */
  isOwn?(folder: Entry): boolean;
}

/** What a writer is handed for one item. */
export interface Writing {
  readonly access: TargetAccess;
  readonly signal: AbortSignal;
  readonly losses: Losses;
  /** A category that what is written gets. */
  readonly tag: string | undefined;
  /** The folder at the destination. */
  readonly folderId: string;
  /** Of a document as the service shows it. */
  stampOf(document: Entry): string;
  /** What the item names as its origin; `stamp`: of the fields as they are then. */
  origin(stamp: string, isWhole: boolean): string;
}

/** An item at the destination. */
export interface Place {
  readonly id: string;
  readonly folderId: string;
}

/** How the items of a part come back as streams. */
export interface StreamWriting {
  /** Path of one item. */
  itemPath(base: string, id: string): string;
  /** Whether another run would know it again. */
  mayImport(document: Entry, row: ItemRow): boolean;
  /** True for what others are told of when it is changed: its origin cannot be noted on it. */
  isHeard(document: Entry): boolean;
  /** Path of a list of what a restore made of this row, where it has no origin: that is known by another mark. */
  twinsPath?(base: string, row: ItemRow, folderId: string): string | undefined;
  /** The stamp of the row's fields, as it was backed up. */
  stampOfRow?(row: ItemRow): string;
}

/** How the items of a part are written. The documents are those that backups keep. */
export interface ItemWriting {
  /** Of the sub-service, what its keys begin with. */
  readonly name: string;
  readonly kind: string;
  readonly nouns: readonly [one: string, many: string];
  /** For sentences: with the permission for reading, and the one for writing. */
  readonly readPurpose: string;
  readonly writePurpose: string;
  readonly folders: FolderWriting;
  /** Path of the list of a folder's items in short form, each with its origin. */
  listPath(base: string, folderId: string): string;
  /** Path of one item in the same form. */
  shortPath(base: string, place: Place): string;
  listed(entry: Entry, folderId: string): SourceItem;
  originOf(entry: Entry): Origin | undefined;
  /** Some services leave out of a list what they show of one: then the item is asked for. */
  isShort?(entry: Entry): boolean;
  /** Paths of the documents that together show all fields of an item but bytes. */
  shownPaths(base: string, place: Place, row: Pick<ItemRow, 'meta'>): readonly string[];
  /** The fields that can be set, in one form whoever wrote them: equal shapes are equal items. */
  shape(document: Entry): Entry;
  /** For what is not to be changed over Graph, since others would get mail: why. */
  refuse?(standing: Entry): WriteResult | undefined;
  /** Makes an item, once. */
  make(document: Entry, writing: Writing): Promise<WrittenItem>;
  /** Makes the item as it was, `standing` being its document now. Returns it as the service showed it last; undefined: it may be another since. */
  mend(place: Place, document: Entry, standing: Entry, writing: Writing): Promise<Entry | undefined>;
  /** Whether what is no field of the document, as a photo is, is the same. Undefined: there is nothing of this kind. */
  isSameBeside?(place: Place, document: Entry, standing: Entry, writing: Writing): Promise<boolean>;
  /** What the document of an item does not show and a change may take away, as backups keep it in the document; names of what is too large for a note in `@holdfast.notKept`. */
  besideOf?(place: Place, document: Entry, access: TargetAccess, signal: AbortSignal): Promise<Entry>;
  /** For items that may come back as streams. */
  readonly streams?: StreamWriting;
  /** Takes away for good what a stopped restore left unfinished. */
  remove(place: Place, access: TargetAccess, signal: AbortSignal): Promise<void>;
  /** Takes away as people do: into Deleted Items, where the service has that for the kind. One that is away is away. */
  discard(place: Place, access: TargetAccess, signal: AbortSignal): Promise<void>;
  /** What is taken away is gone: there is nothing like Deleted Items. */
  readonly isGoneForGood?: true;
  /** Path of the attachments of an item, where the kind has some. */
  attachmentsAt?(base: string, place: Place): string;
}

/** An item that was made. */
export interface WrittenItem {
  readonly id: string;
  /** As the service showed it last; undefined: it may be another since. */
  readonly shown: Entry | undefined;
}
