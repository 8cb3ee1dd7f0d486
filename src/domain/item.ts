/**
 * A string that carries bytes: one UTF-16 unit (0..255) a byte (latin1). Such strings compare in byte order
 * with `<`, which is the order of keys everywhere.
 */
export type BinaryString = string;

/**
 * One version of one thing that an entity holds: a folder, a mail, a file. The row is all that listing,
 * comparing and restoring need besides the content's bytes.
 */
export interface ItemRow {
  /** Unique within the entity and stable for as long as the source calls it the same thing. Rows sort by it. */
  readonly key: BinaryString;
  /** Key of the folder that holds it; '' at the top. A folder is itself a row. */
  readonly parent: BinaryString;
  /** The name that a person knows it by: file name, folder name, subject. */
  readonly name: string;
  /** A word of the connector's descriptor: 'folder', 'file', 'link', 'mail' … Folders of any service are 'folder', see also {@link COMPANION}. */
  readonly kind: string;
  /** Bytes of content as given back on restore; 0 where there is none. */
  readonly size: number;
  /** Milliseconds since 1970 UTC, or null where the source has no such time. */
  readonly modified: number | null;
  /** The source's own change key, opaque: equal means unchanged. */
  readonly change: BinaryString;
  /** The connector's own fields as JSON, '' when there are none. Small: it is read with every listing. */
  readonly meta: string;
  /** What became of the content; '' when stored whole, else an {@link Outcome} as JSON. */
  readonly outcome: string;
  /** The encoded recipe of the content (see docs/format), '' when the item has no content or it is not stored. */
  readonly content: BinaryString;
}

/**
 * Kind of a row that is no item of its own, but another form of the item that is its parent: the stream in which a service gives it away whole, say. It is listed,
 * searched, exported and counted with that item alone, and given back and erased with it.
 */
export const COMPANION = 'companion';

/** Key of an item's companion: it follows the item at once in the order of keys. */
export function companionKey(key: BinaryString): BinaryString {
  return `${key}\0+`;
}

export function isCompanion({ kind }: Pick<ItemRow, 'kind'>): boolean {
  return kind === COMPANION;
}

/** A change of an entity between two snapshots, by key: a new version, or the key's end. */
export type RowChange = { readonly row: ItemRow } | { readonly removed: BinaryString };

/** Every item ends as stored or in one of these ways; each carries a sentence for a person. */
export interface Outcome {
  readonly state: 'skipped' | 'failed' | 'altered';
  /** Stable, e.g. 'unreadable', 'changed-while-read', 'vanished'. */
  readonly code: string;
  readonly message: string;
}
