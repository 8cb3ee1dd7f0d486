import { isCompanion, type BinaryString, type ItemRow } from '../domain/index.ts';
import { StateCursor, type Manifest, type Repository, type SegmentSource } from '../repository/index.ts';

/**
 * What the keys of a service say. `path`: the names from the top joined by NUL, so that a folder and all below it are
 * one range of keys. `opaque`: nothing; folders are found by the rows' `parent`.
 */
export type KeyStyle = 'path' | 'opaque';

/** An item and where it lies. */
export interface Placed {
  readonly row: ItemRow;
  /** Names from the top joined by '/', its own last. Names may hold a '/' themselves where the service allows it. */
  readonly path: string;
}

const BATCH = 1024;
const MOST_FOLDERS_KEPT = 20_000;
/** Deeper than any service nests; ends a circle of broken parents. */
export const MOST_DEPTH = 4096;
/** The row of a tree's own top directory, see the keys of a path style connector. */
const TOP_KEY: BinaryString = '\0';

/** What is kept of a folder that was looked up. */
interface Folder {
  readonly parent: BinaryString;
  readonly path: string;
}

/** Where the rows of a snapshot are. */
export function rowsOf(repository: Repository, manifest: Manifest): SegmentSource {
  return { storage: repository.context.storage, keyring: repository.context.keyring, tag: manifest.tag };
}

/**
 * Looks into one snapshot, straight from its catalog layers: nothing is built first, memory is flat, and with keys of
 * style `path` only the blocks are read that hold what is asked for. With `opaque` keys a question about a folder
 * reads all rows once.
 */
export class SnapshotBrowser {
  readonly #source: SegmentSource;
  readonly #manifest: Manifest;
  readonly #keys: KeyStyle;
  readonly #signal: AbortSignal | undefined;
  #lookup: StateCursor | undefined;
  #lookedUp: BinaryString = '';
  readonly #folders = new Map<BinaryString, Folder>();

  constructor(repository: Repository, manifest: Manifest, options: { keys: KeyStyle; signal?: AbortSignal | undefined }) {
    this.#source = rowsOf(repository, manifest);
    this.#manifest = manifest;
    this.#keys = options.keys;
    this.#signal = options.signal;
  }

  /** The row of a key; cheap while keys ascend. */
  async row(key: BinaryString): Promise<ItemRow | undefined> {
    if (!this.#lookup || key < this.#lookedUp) this.#lookup = this.#cursor();
    this.#lookedUp = key;
    await this.#lookup.seek(key);
    return this.#lookup.key === key ? this.#lookup.row : undefined;
  }

  /** The folders that an item lies in, top first. */
  async above(row: ItemRow): Promise<ItemRow[]> {
    const folders: ItemRow[] = [];
    for (const key of this.#keys === 'path' ? keysAbove(row.key) : []) {
      const folder = await this.row(key);
      if (folder) folders.push(folder);
    }
    for (let key = this.#keys === 'path' ? '' : row.parent; key !== '' && folders.length < MOST_DEPTH;) {
      const folder = await this.row(key);
      if (!folder) break;
      folders.unshift(folder);
      key = folder.parent;
    }
    return folders;
  }

  async pathOf(row: ItemRow): Promise<string> {
    if (this.#keys === 'path') return pathOfKey(row.key);
    const above = await this.#folder(row.parent);
    return above ? `${above.path}/${row.name}` : row.name;
  }

  /**
   * The items at a path as {@link Placed} gives it ('/' before and after it is ignored): none, one, or several where
   * names repeat. The top ('', '/' or '.') is no item: ask {@link isTop} first.
   */
  async find(path: string): Promise<Placed[]> {
    if (this.#keys === 'path') {
      const row = await this.row(keyOfPath(path));
      if (row) return [{ row, path: pathOfKey(row.key) }];
      // Bytes that are no UTF-8 are shown as U+FFFD; only such a path can be another key's.
      if (!path.includes('\uFFFD')) return [];
    }
    const wanted = pathNames(path);
    const found: Placed[] = [];
    for await (const batch of this.#scan('')) {
      for (const row of batch) {
        if (!wanted.some((text) => text.endsWith(row.name))) continue;
        const at = await this.pathOf(row);
        if (wanted.includes(at)) found.push({ row, path: at });
      }
    }
    return found;
  }

  /** What lies directly in a folder (undefined: at the top), in batches, in key order. */
  async* children(folder?: ItemRow): AsyncGenerator<Placed[]> {
    const parent = folder?.key ?? '';
    const above = folder ? `${await this.pathOf(folder)}/` : '';
    const rows = this.#keys === 'path' ? this.#skippingScan(parent) : this.#scan('');
    for await (const batch of rows) {
      const inside = batch.filter((row) => row.parent === parent && row.key !== TOP_KEY);
      if (inside.length > 0) yield inside.map((row) => ({ row, path: above + row.name }));
    }
  }

  /** Everything below a folder (undefined: all there is), in batches, in key order. */
  async* below(folder?: ItemRow): AsyncGenerator<Placed[]> {
    const top = folder && this.#keys === 'path' ? `${folder.key}\0` : '';
    for await (const batch of this.#scan(top)) {
      const placed: Placed[] = [];
      for (const row of batch) {
        if (row.key === TOP_KEY) continue;
        if (folder && this.#keys === 'opaque' && !(await this.#isBelow(row, folder.key))) continue;
        placed.push({ row, path: await this.pathOf(row) });
      }
      if (placed.length > 0) yield placed;
    }
  }

  #cursor(): StateCursor {
    return new StateCursor(this.#source, this.#manifest.layers, this.#signal);
  }

  /** All rows under a prefix of keys, without companions. */
  async* #scan(prefix: BinaryString): AsyncGenerator<ItemRow[]> {
    const cursor = this.#cursor();
    await cursor.seek(prefix);
    let batch: ItemRow[] = [];
    while (cursor.key?.startsWith(prefix) === true) {
      if (!isCompanion(cursor)) batch.push(cursor.row);
      if (batch.length >= BATCH) {
        yield batch;
        batch = [];
        this.#signal?.throwIfAborted();
      }
      if (!cursor.step()) await cursor.finish();
    }
    if (batch.length > 0) yield batch;
  }

  /** The rows directly below a key of style `path`: what is below a subfolder is passed over unread. */
  async* #skippingScan(parent: BinaryString): AsyncGenerator<ItemRow[]> {
    const prefix = parent === '' ? '' : `${parent}\0`;
    const cursor = this.#cursor();
    await cursor.seek(prefix);
    let batch: ItemRow[] = [];
    while (cursor.key?.startsWith(prefix) === true) {
      const { row } = cursor;
      batch.push(row);
      if (batch.length >= BATCH) {
        yield batch;
        batch = [];
        this.#signal?.throwIfAborted();
      }
      // Everything below 'a' starts with 'a\0' and comes before any other key that starts with 'a'.
      if (row.kind === 'folder' && row.key !== TOP_KEY) await cursor.seek(`${row.key}\x01`);
      else await cursor.next();
    }
    if (batch.length > 0) yield batch;
  }

  /** A folder by its key; undefined at the top, and for one that the snapshot does not have. */
  async #folder(key: BinaryString, depth = 0): Promise<Folder | undefined> {
    if (key === '' || depth > MOST_DEPTH) return undefined;
    const known = this.#folders.get(key);
    if (known) return known;
    const row = await this.row(key);
    if (!row) return undefined;
    const above = await this.#folder(row.parent, depth + 1);
    const folder = { parent: row.parent, path: above ? `${above.path}/${row.name}` : row.name };
    if (this.#folders.size >= MOST_FOLDERS_KEPT) this.#folders.clear();
    this.#folders.set(key, folder);
    return folder;
  }

  async #isBelow(row: ItemRow, folder: BinaryString): Promise<boolean> {
    let parent: BinaryString | undefined = row.parent;
    for (let depth = 0; parent && depth < MOST_DEPTH; depth++) {
      if (parent === folder) return true;
      parent = (await this.#folder(parent))?.parent;
    }
    return false;
  }
}

/** What a path may be in the words of {@link Placed}. */
export function pathNames(path: string): readonly string[] {
  return [path.replace(/^\//, ''), trimmed(path)];
}

/** The key at a path where keys are paths. */
export function keyOfPath(path: string): BinaryString {
  return Buffer.from(trimmed(path), 'utf8').toString('latin1').replaceAll('/', '\0');
}

/** The keys of the folders above, top first, where keys are paths. */
function keysAbove(key: BinaryString): BinaryString[] {
  const keys: BinaryString[] = [];
  for (let end = key.indexOf('\0', 1); end > 0; end = key.indexOf('\0', end + 1)) keys.push(key.slice(0, end));
  return keys;
}

/** True for what a person writes for the top of a snapshot. */
export function isTop(path: string): boolean {
  return trimmed(path) === '';
}

function trimmed(path: string): string {
  return path.split('/').filter((part) => part !== '' && part !== '.').join('/');
}

function pathOfKey(key: BinaryString): string {
  if (key === TOP_KEY) return '.';
  return Buffer.from(key.replaceAll('\0', '/'), 'latin1').toString('utf8');
}
