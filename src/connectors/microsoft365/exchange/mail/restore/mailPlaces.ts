import type { ItemRow } from '../../../../../domain/index.ts';
import { hasCode } from '../../../graph/graphErrors.ts';
import { idOf, pages, textOf } from '../../../graph/pages.ts';
import { journaled } from '../../restore/journaled.ts';
import type { TargetAccess, TargetOptions } from '../../subTarget.ts';
import { MailFolders, parseFolderMeta, type MailFolder } from '../mailFolders.ts';
import { idOfKey, NAME, RECOVERABLE_KEY, ROOT_KEY } from '../mailKeys.ts';
import type { MailFolderNote } from './mailNotes.ts';

export const WRITE_PURPOSE = 'write mail (Mail.ReadWrite)';
const DELETED = 'deleteditems';
/** Folders in each other: more is damage. */
const DEEPEST = 400;

/** What is to be done about a folder of the snapshot. */
interface FolderStep {
  /** The folder at the destination; undefined: it has to be made. */
  readonly standing: MailFolder | undefined;
  /** It has to get its name back. */
  readonly rename: boolean;
  /** It has to go back below this folder; undefined: it lies where it should. */
  readonly moveTo: string | undefined;
}

/**
 * Which folder of the destination stands for which of the snapshot: the same one by its id, its counterpart by the name for programs ('inbox' …), else
 * one of the same name in the counterpart of the folder above. With mode 'separate' all lie below a new folder, as ordinary ones.
 */
export class MailPlaces {
  readonly #access: TargetAccess;
  readonly #options: TargetOptions;
  /** Folders of the snapshot that were passed. */
  readonly #rows = new Map<string, ItemRow>();
  readonly #folders: Map<string, MailFolder>;
  readonly #rootId: string;
  readonly #making = new Map<string, Promise<string>>();

  private constructor(access: TargetAccess, options: TargetOptions, folders: MailFolders) {
    this.#access = access;
    this.#options = options;
    this.#folders = new Map([...folders.all].map((folder) => [folder.id, folder]));
    this.#rootId = folders.rootId;
  }

  static async load(access: TargetAccess, options: TargetOptions, signal: AbortSignal): Promise<MailPlaces> {
    const previous = { rows: nothing };
    const context = { cursor: undefined, previous, signal, progress: () => undefined, expect: () => undefined, scratch: await access.scratch() };
    return new MailPlaces(access, options, await MailFolders.sync(access, context, undefined));
  }

  /** Folders in which mails of a restore may stand: with mode 'separate' those below its own, else all that are no searches. */
  get searched(): string[] {
    const all = [...this.#folders.values()].filter(({ search }) => search === undefined).map(({ id }) => id);
    if (this.#options.mode !== 'separate') return [...all, ...(this.#rootId === '' ? [] : [this.#rootId])];
    const top = this.#find(ROOT_KEY);
    return top === undefined ? [] : all.filter((id) => this.#chain(id).includes(top));
  }

  /** True where the very folder is there. */
  stands(key: string): boolean {
    return this.#folders.has(idOfKey(key));
  }

  learn(row: ItemRow): void {
    this.#rows.set(row.key, row);
  }

  /** True where the snapshot has the folder in Deleted Items, or in Recoverable Items. */
  wasDeleted(key: string): 'deleted' | 'recoverable' | undefined {
    for (let at = key, depth = 0; depth < DEEPEST; depth++) {
      if (at === RECOVERABLE_KEY) return 'recoverable';
      const row = this.#rows.get(at);
      if (row === undefined) return undefined;
      if (parseFolderMeta(row.meta).wellKnown === DELETED) return 'deleted';
      at = row.parent;
    }
    return undefined;
  }

  /** True for a folder of the destination that lies in Deleted Items or in Recoverable Items. */
  isDeleted(folderId: string): boolean {
    return this.#chain(folderId).some((id) => {
      const { wellKnown = '' } = this.#folders.get(id) ?? {};
      return wellKnown === DELETED || wellKnown.startsWith('recoverableitems');
    });
  }

  /** The id of the folder that stands for that of the snapshot, if it is there. */
  find(key: string): string | undefined {
    return this.#find(key);
  }

  step(row: ItemRow): FolderStep {
    const id = this.#find(row.key);
    if (id === undefined) return { standing: undefined, rename: false, moveTo: undefined };
    const standing = this.#folders.get(id) ?? { id, name: row.name, parentId: '' };
    // Only the very folder has another name or place to go back to.
    if (id !== idOfKey(row.key) || this.#options.mode === 'separate' || standing.wellKnown !== undefined) return { standing, rename: false, moveTo: undefined };
    return { standing, rename: this.#options.mode === 'replace' && standing.name !== row.name, moveTo: this.#wayBack(row, standing) };
  }

  /** The folder that it is to be moved into, where it was moved or, with mode 'skip', deleted. */
  #wayBack(row: ItemRow, { id, parentId }: MailFolder): string | undefined {
    const above = this.#find(row.parent);
    const wasDeleted = this.wasDeleted(row.key);
    if (above === parentId || wasDeleted === 'recoverable') return undefined;
    const isLost = wasDeleted === undefined && this.isDeleted(id);
    return this.#options.mode === 'replace' || isLost ? above : undefined;
  }

  /** Notes that a step was done, or for a dry run that it would be. */
  note({ standing, rename, moveTo }: FolderStep, row: ItemRow): void {
    if (standing !== undefined) this.#folders.set(standing.id, { ...standing, ...(rename ? { name: row.name } : {}), ...(moveTo === undefined ? {} : { parentId: moveTo }) });
  }

  /** The folder, made where it is missing, and those above it as well. */
  async ensure(key: string, signal: AbortSignal): Promise<string> {
    const found = this.#find(key);
    if (found !== undefined) return found;
    const making = this.#making.get(key) ?? this.#make(key, signal).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return await making;
  }

  async #make(key: string, signal: AbortSignal): Promise<string> {
    const { above, name } = this.#wanted(key);
    const parentId = above === undefined ? this.#rootId : await this.ensure(above, signal);
    const suffix = key === ROOT_KEY || this.#options.suffix === undefined ? '' : ` ${this.#options.suffix}`;
    const note = (): MailFolderNote => ({ part: NAME, act: 'folder', isFolder: true, item: name + suffix, name: name + suffix, parentId });
    const act = async (): Promise<MadeFolder> => await createFolder(this.#access, parentId, name + suffix, signal);
    const { folder } = await journaled(this.#options.journal, note, act, ({ folder: { id }, isNew }) => (isNew ? { id } : undefined));
    this.#folders.set(folder.id, folder);
    return folder.id;
  }

  /** What a folder that is missing is called, and which one of the snapshot it lies below; undefined: at the top. */
  #wanted(key: string): { readonly above: string | undefined; readonly name: string } {
    const isSeparate = this.#options.mode === 'separate';
    if (key === ROOT_KEY) return { above: undefined, name: this.#options.folderName };
    if (key === RECOVERABLE_KEY) return { above: isSeparate ? ROOT_KEY : undefined, name: 'Recoverable Items' };
    const row = this.#rows.get(key);
    const parent = row?.parent ?? ROOT_KEY;
    const above = this.#rows.has(parent) || parent === RECOVERABLE_KEY ? parent : ROOT_KEY;
    return { above: above === ROOT_KEY && !isSeparate ? undefined : above, name: row === undefined || row.name.trim() === '' ? 'Mail' : row.name };
  }

  #find(key: string, depth = 0): string | undefined {
    if (depth > DEEPEST) return undefined;
    const isSeparate = this.#options.mode === 'separate';
    if (key === ROOT_KEY && !isSeparate) return this.#rootId;
    const row = this.#rows.get(key);
    const own = isSeparate || row === undefined || this.wasDeleted(key) === 'recoverable' ? undefined : this.#counterpart(row);
    if (own !== undefined) return own;
    const { above, name } = this.#wanted(key);
    const parentId = above === undefined ? this.#rootId : this.#find(above, depth + 1);
    return parentId === undefined ? undefined : this.#childOf(parentId, name);
  }

  #counterpart(row: ItemRow): string | undefined {
    const { wellKnown: given } = parseFolderMeta(row.meta);
    // What waited to be sent does not wait again.
    const wellKnown = given === 'outbox' ? 'drafts' : given;
    const same = given === 'outbox' ? undefined : this.#folders.get(idOfKey(row.key));
    if (same !== undefined && same.search === undefined) return same.id;
    return wellKnown === undefined ? undefined : [...this.#folders.values()].find((folder) => folder.wellKnown === wellKnown)?.id;
  }

  /** By its name, or as an earlier restore called it. */
  #childOf(parentId: string, name: string): string | undefined {
    const { suffix } = this.#options;
    const names = [name, ...(suffix === undefined ? [] : [`${name} ${suffix}`])].map((one) => one.toLowerCase());
    const children = [...this.#folders.values()].filter((folder) => folder.parentId === parentId && folder.search === undefined);
    return names.map((one) => children.find((folder) => folder.name.toLowerCase() === one)?.id).find((id) => id !== undefined);
  }

  /** The folder and those above it. */
  #chain(id: string): string[] {
    const chain: string[] = [];
    for (let at: string | undefined = id; at !== undefined && at !== '' && chain.length < DEEPEST && !chain.includes(at); at = this.#folders.get(at)?.parentId) chain.push(at);
    return chain;
  }
}

async function* nothing(): AsyncGenerator<readonly ItemRow[]> {
  // A destination has no snapshot before.
  yield [];
}

/** `isNew`: surely made by this request. */
interface MadeFolder {
  readonly folder: MailFolder;
  readonly isNew: boolean;
}

async function createFolder({ graph, path, budget }: TargetAccess, parentId: string, name: string, signal: AbortSignal): Promise<MadeFolder> {
  const children = `${path}/mailFolders/${encodeURIComponent(parentId)}/childFolders`;
  const options = { purpose: WRITE_PURPOSE, budget, signal };
  try {
    return { folder: { id: idOf(await graph.post(children, { displayName: name }, { ...options, repeatable: true })), name, parentId }, isNew: true };
  } catch (error) {
    if (!hasCode(error, 'refused') || error.data['reason'] !== 'ErrorFolderExists') throw error;
    // Made meanwhile, perhaps by a request whose answer was lost.
    for await (const entries of pages(graph, `${children}?$select=id,displayName&$top=100`, options)) {
      const found = entries.find((entry) => textOf(entry, 'displayName').toLowerCase() === name.toLowerCase());
      if (found !== undefined) return { folder: { id: idOf(found), name, parentId }, isNew: false };
    }
    throw error;
  }
}
