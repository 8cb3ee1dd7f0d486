import { MailboxTokenLife } from '../odata/deltaTokenLife.ts';
import type { Properties } from '../odata/list.ts';
import type { Owner } from '../seed/owner.ts';
import { MailboxIds } from './ids.ts';
import { KIND_OF_CLASS } from './folder.ts';
import type { Folder, FolderClass } from './folder.ts';
import type { Item, ItemKind } from './item.ts';
import { Shelf } from './shelf.ts';
import type { SeededItems } from './shelf.ts';

/** What a new folder is made of. */
export interface FolderPlan {
  readonly class: FolderClass;
  readonly name: string;
  readonly parent: number | undefined;
  readonly wellKnown?: string;
  readonly hidden?: boolean;
  readonly unread?: number;
  readonly extra?: Properties;
  readonly items?: SeededItems;
}

const NOTHING: SeededItems = {
  name: 'none', count: 0,
  rankOf: () => 0,
  make: () => {
    throw new Error('a folder without seeded items was asked for one');
  },
};

/** One mailbox: its folders, where each item lies, and the settings that Graph shows. */
export class Mailbox {
  readonly owner: Owner;
  /** `MBX:…@…` in the mailbox import and export API (fact 55). */
  readonly exportId: string;
  readonly ids: MailboxIds;
  readonly folders: Folder[] = [];
  readonly tokens = new MailboxTokenLife();
  readonly categories: Properties[] = [];
  readonly rules: Properties[] = [];
  settings: Properties = {};
  /** While true what is purged is kept out of sight, and cannot be deleted. */
  onHold = false;
  readonly usedTransactions = new Map<string, string>();
  #sequence = 0;
  #serial = 0;
  /** Where items lie that are not in the folder that the seed put them in. */
  readonly #places = new Map<string, number>();

  constructor(owner: Owner, userId: string, tenantId: string) {
    this.owner = owner;
    this.exportId = `MBX:${userId}@${tenantId}`;
    this.ids = new MailboxIds(`${userId.slice(0, 8)}|`);
  }

  addFolder(plan: FolderPlan): Folder {
    const shelf = new Shelf(plan.items ?? NOTHING, () => this.nextSequence());
    const folder: Folder = {
      number: this.folders.length, class: plan.class, shelf, name: plan.name, parent: plan.parent, wellKnown: plan.wellKnown, hidden: plan.hidden ?? false,
      seededUnread: Math.min(plan.unread ?? 0, plan.items?.count ?? 0), extra: plan.extra ?? {}, extended: [], sequence: this.nextSequence(), removed: false,
    };
    this.folders.push(folder);
    return folder;
  }

  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** A key that no item had before. */
  newKey(): string {
    this.#serial += 1;
    return `n${this.#serial}`;
  }

  /** Marks a folder's own properties as changed. */
  touch(folder: Folder): void {
    folder.sequence = this.nextSequence();
  }

  folderByWellKnown(name: string): Folder | undefined {
    return this.folders.find(({ wellKnown, removed }) => wellKnown === name && !removed);
  }

  folder(number: number | undefined): Folder | undefined {
    const found = number === undefined ? undefined : this.folders[number];
    return found?.removed === true ? undefined : found;
  }

  children(parent: number): Folder[] {
    return this.folders.filter((folder) => folder.parent === parent && !folder.removed);
  }

  /** The folder that an item lies in, wherever it came from; undefined where it is gone. */
  placeOf(key: string): Folder | undefined {
    const place = this.#places.get(key);
    if (place !== undefined) return this.folder(place);
    const seededName = key.slice(0, key.lastIndexOf('.'));
    const folder = this.folders.find(({ shelf }) => shelf.name === seededName);
    return folder !== undefined && !folder.removed && folder.shelf.has(key) ? folder : undefined;
  }

  find(key: string, kind: ItemKind): { item: Item; folder: Folder } | undefined {
    const folder = this.placeOf(key);
    if (folder === undefined || KIND_OF_CLASS[folder.class] !== kind) return undefined;
    const item = folder.shelf.get(key);
    return item === undefined ? undefined : { item, folder };
  }

  put(folder: Folder, item: Item): void {
    this.#places.set(item.key, folder.number);
    folder.shelf.put(item);
  }

  /** Takes an item out of the mailbox for good. */
  drop(key: string): void {
    this.placeOf(key)?.shelf.remove(key);
    this.#places.set(key, -1);
  }

  /** Same item, another folder: its immutable id stays, its ordinary id changes (facts 28 and 41). */
  move(item: Item, from: Folder, to: Folder, now: number): Item {
    const moved = { ...item, moves: item.moves + 1, version: item.version + 1, modified: now };
    from.shelf.remove(item.key);
    this.put(to, moved);
    return moved;
  }

  /** Takes a folder with everything below it away. */
  removeFolder(folder: Folder): void {
    for (const child of this.children(folder.number)) this.removeFolder(child);
    folder.removed = true;
    this.touch(folder);
  }
}
