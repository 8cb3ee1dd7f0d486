import type { BinaryString, ItemRow } from '../domain/index.ts';

/** Who keeps what is known of folders. */
export interface KnownFolders {
  knows(key: BinaryString): boolean;
  learn(row: ItemRow): void;
}

/**
 * Tells of the folders of a snapshot as their rows come, in the order of their keys. A folder may lie in one whose key comes later: then all are
 * told at once, after one reading of all rows.
 */
export class FolderLearner {
  readonly #rows: () => AsyncIterable<readonly ItemRow[]>;
  readonly #folders: KnownFolders;
  #all = false;

  /** `rows`: all of the snapshot. */
  constructor(rows: () => AsyncIterable<readonly ItemRow[]>, folders: KnownFolders) {
    this.#rows = rows;
    this.#folders = folders;
  }

  /** Afterwards the folder is known, and those above it, as far as the snapshot has them. */
  async learn(folder: ItemRow): Promise<void> {
    if (this.#folders.knows(folder.key)) return;
    this.#folders.learn(folder);
    if (folder.parent === '' || this.#folders.knows(folder.parent) || this.#all) return;
    this.#all = true;
    for await (const batch of this.#rows()) {
      for (const row of batch) if (row.kind === 'folder' && !this.#folders.knows(row.key)) this.#folders.learn(row);
    }
  }
}
