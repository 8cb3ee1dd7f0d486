import { HoldfastError, type BinaryString, type ItemRow } from '../domain/index.ts';

/** Where rows go below a directory. Keeps the paths of the folders seen: rows of a folder come after the folder itself. */
export class DiskPaths {
  readonly #root: BinaryString;
  readonly #folders = new Map<BinaryString, BinaryString>();

  constructor(root: BinaryString) {
    this.#root = root;
  }

  folder(row: ItemRow, name: BinaryString): BinaryString {
    const path = this.item(row, name);
    this.#folders.set(row.key, path);
    return path;
  }

  /** A parent that is not among the rows (its own folder was not chosen) is the root. */
  item(row: ItemRow, name: BinaryString): BinaryString {
    if (name === '.' && row.parent === '') return this.#root;
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new HoldfastError('restore/bad-name', 'never',
        `An item has the name '${name}', which cannot be a file name; nothing was written for it.`);
    }
    const parent = row.parent === '' ? this.#root : (this.#folders.get(row.parent) ?? this.#root);
    return `${parent}/${name}`;
  }
}
