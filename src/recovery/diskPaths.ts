import { HoldfastError, type BinaryString, type ItemRow } from '../domain/index.ts';

interface Folder {
  readonly parent: BinaryString;
  /** undefined: the root itself. */
  readonly name: BinaryString | undefined;
  refused: boolean;
  made: boolean;
}

/** Where rows go below a directory. Memory: key, parent and name of each folder learned. */
export class DiskPaths {
  readonly #root: BinaryString;
  readonly #folders = new Map<BinaryString, Folder>();
  /** Path of the folder asked for last: items of one folder mostly come together. */
  #last: { readonly key: BinaryString; readonly path: BinaryString } | undefined;

  constructor(root: BinaryString) {
    this.#root = root;
  }

  knows(key: BinaryString): boolean {
    return this.#folders.has(key);
  }

  learn(row: ItemRow, name: BinaryString): void {
    this.#folders.set(row.key, { parent: row.parent, name: name === '.' && row.parent === '' ? undefined : name, refused: false, made: false });
    this.#last = undefined;
  }

  /** The folder did not stand before. */
  made(key: BinaryString): void {
    const folder = this.#folders.get(key);
    if (folder) folder.made = true;
  }

  wasMade(key: BinaryString): boolean {
    return this.#folders.get(key)?.made === true;
  }

  /** Nothing is placed below this folder from now on. */
  refuse(key: BinaryString): void {
    const folder = this.#folders.get(key);
    if (folder) folder.refused = true;
    this.#last = undefined;
  }

  /** Path of a folder that was learned. */
  folder(key: BinaryString): BinaryString {
    return this.#below(key, 0);
  }

  /**
   * Path of an item. A parent that was not learned (its own folder was not chosen) is the root. Throws `restore/bad-name`
   * for what cannot be a file name and `restore/no-folder` below a folder that was refused.
   */
  item(row: ItemRow, name: BinaryString): BinaryString {
    return `${this.#parent(row.parent)}/${checked(name)}`;
  }

  #parent(key: BinaryString): BinaryString {
    if (key === '' || !this.#folders.has(key)) return this.#root;
    if (this.#last?.key !== key) this.#last = { key, path: this.#below(key, 0) };
    return this.#last.path;
  }

  #below(key: BinaryString, depth: number): BinaryString {
    const folder = key === '' ? undefined : this.#folders.get(key);
    if (!folder) return this.#root;
    // Deeper than any path that a system opens: folders that lie in each other.
    if (folder.refused || depth > 4096) {
      throw new HoldfastError('restore/no-folder', 'never', 'The folder that it belongs in could not be made; nothing was written for it.');
    }
    const above = this.#below(folder.parent, depth + 1);
    return folder.name === undefined ? above : `${above}/${checked(folder.name)}`;
  }
}

function checked(name: BinaryString): BinaryString {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw new HoldfastError('restore/bad-name', 'never',
    `Its name ${JSON.stringify(name)} cannot be a file name here; nothing was written for it.`);
}
