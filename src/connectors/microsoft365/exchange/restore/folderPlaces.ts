import type { ItemRow } from '../../../../domain/index.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { canonicalJson } from '../items/documents.ts';
import { Folders, parseObject } from '../items/folders.ts';
import { idBehind } from '../items/itemSource.ts';
import type { TargetAccess, TargetOptions } from '../subTarget.ts';
import { doOnce } from './doOnce.ts';
import type { FolderMendNote, FolderNote } from './itemNotes.ts';
import { journaled } from './journaled.ts';
import type { FolderWriting } from './partWriting.ts';
import { pick } from './shapes.ts';

/** Folders in each other: more is damage. */
const DEEPEST = 400;

/** What is to be done about a folder of the snapshot. */
export interface FolderStep {
  /** Id of the folder at the destination; undefined: it has to be made. */
  readonly id: string | undefined;
  /** Properties that it has to get back. */
  readonly changes: Entry;
}

/** `isNew`: made by this restore, as far as anybody can tell. */
interface MadeFolder {
  readonly folder: Entry;
  readonly isNew: boolean;
}

/**
 * Which folder of the destination stands for which of the snapshot: the same one by its id, its counterpart by the word that programs know it by, else one of
 * the same name in the counterpart of the folder above. With mode 'separate' all are ordinary ones: below a new folder, or with its name in front of theirs.
 */
export class FolderPlaces {
  readonly #access: TargetAccess;
  readonly #options: TargetOptions;
  readonly #writing: FolderWriting;
  /** Folders of the snapshot that were passed. */
  readonly #rows = new Map<string, ItemRow>();
  readonly #folders: Map<string, Entry>;
  readonly #making = new Map<string, Promise<string>>();

  private constructor(access: TargetAccess, options: TargetOptions, writing: FolderWriting, folders: readonly Entry[]) {
    this.#access = access;
    this.#options = options;
    this.#writing = writing;
    this.#folders = new Map(folders.map((folder) => [idOf(folder), folder]));
  }

  static async load(access: TargetAccess, options: TargetOptions, writing: FolderWriting, signal: AbortSignal): Promise<FolderPlaces> {
    const context = { cursor: undefined, previous: { rows: nothing }, signal, progress: () => undefined, expect: () => undefined, scratch: await access.scratch() };
    const { documents } = await Folders.sync(access, context, writing.source, { base: access.path, link: undefined });
    return new FolderPlaces(access, options, writing, documents);
  }

  learn(row: ItemRow): void {
    this.#rows.set(row.key, row);
  }

  /** A folder of the snapshot that was passed. */
  row(key: string): ItemRow | undefined {
    return this.#rows.get(key);
  }

  /** Folders in which items of a restore may stand: with mode 'separate' those that it made, else all of one's own. */
  get searched(): string[] {
    const ids = [...this.#folders].filter(([, folder]) => this.#writing.isOwn?.(folder) !== false).map(([id]) => id);
    if (this.#options.mode !== 'separate') return ids;
    const { folderName } = this.#options;
    if (!this.#writing.isNested) return ids.filter((id) => this.#nameOf(id).startsWith(`${folderName} - `));
    const top = this.#childOf('', folderName);
    return top === undefined ? [] : ids.filter((id) => this.#chain(id).includes(top));
  }

  /** The id of the folder that stands for that of the snapshot, if it is there. */
  find(key: string, depth = 0): string | undefined {
    if (depth > DEEPEST) return undefined;
    const isSeparate = this.#options.mode === 'separate';
    if (key === this.#rootKey) return isSeparate && this.#writing.isNested ? this.#childOf('', this.#options.folderName) : '';
    const row = this.#rows.get(key);
    const own = isSeparate ? undefined : this.#counterpart(row);
    if (own !== undefined) return own;
    const parentId = this.find(this.#above(row), depth + 1);
    return parentId === undefined ? undefined : this.#childOf(parentId, this.#wantedName(row));
  }

  step(row: ItemRow): FolderStep {
    const id = this.find(row.key);
    const standing = id === undefined ? undefined : this.#folders.get(id);
    const isSame = id === this.#idOf(row.key) && this.#options.mode === 'replace';
    if (standing === undefined || !isSame || this.#writing.wellKnown(standing) !== '') return { id, changes: {} };
    const document = parseObject(row.meta);
    const wanted = { [this.#writing.source.named]: row.name, ...this.#writing.fields(document) };
    const changes = Object.entries(wanted).filter(([name, value]) => canonicalJson(value) !== canonicalJson(standing[name] ?? null));
    return { id, changes: Object.fromEntries(changes) };
  }

  /** Notes that a step was done, or for a dry run that it would be. */
  note({ id, changes }: FolderStep): void {
    const folder = id === undefined ? undefined : this.#folders.get(id);
    if (id !== undefined && folder !== undefined) this.#folders.set(id, { ...folder, ...changes });
  }

  /** The folder, made where it is missing, and those above it as well. */
  async ensure(key: string, signal: AbortSignal): Promise<string> {
    const found = this.find(key);
    if (found !== undefined) return found;
    const making = this.#making.get(key) ?? this.#make(key, signal).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    return await making;
  }

  async mend({ id = '', changes }: FolderStep, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#access;
    const { path: pathOf, purpose, source: { name } } = this.#writing;
    const before = pick(this.#folders.get(id) ?? {}, Object.keys(changes));
    const note = (): FolderMendNote => ({ part: name, act: 'mendFolder', isFolder: true, item: this.#nameOf(id), id, before, after: changes });
    await journaled(this.#options.journal, note, async () => await graph.patch(pathOf(path, id), changes, { purpose, budget, signal }), () => ({}));
  }

  async #make(key: string, signal: AbortSignal): Promise<string> {
    const row = this.#rows.get(key);
    const isRoot = key === this.#rootKey;
    const parentId = isRoot ? '' : await this.ensure(this.#above(row), signal);
    const { folderName, suffix } = this.#options;
    const name = isRoot ? folderName : this.#wantedName(row) + (suffix === undefined ? '' : ` ${suffix}`);
    const fields = isRoot || row === undefined ? {} : this.#writing.fields(parseObject(row.meta));
    const note = (): FolderNote => ({ part: this.#writing.source.name, act: 'folder', isFolder: true, item: name, name, parentId });
    const act = async (): Promise<MadeFolder> => await this.#create(parentId, name, fields, signal);
    const { folder } = await journaled(this.#options.journal, note, act, (made) => (made.isNew ? { id: idOf(made.folder) } : undefined));
    this.#folders.set(idOf(folder), folder);
    return idOf(folder);
  }

  /** One that was made meanwhile, perhaps by a request whose answer was lost, is taken as it is. */
  async #create(parentId: string, name: string, fields: Entry, signal: AbortSignal): Promise<MadeFolder> {
    const { graph, path, budget } = this.#access;
    const { source: { named }, purpose, createPath } = this.#writing;
    const look = async (): Promise<Entry | undefined> => {
      const now = await FolderPlaces.load(this.#access, this.#options, this.#writing, signal);
      const found = now.#childOf(parentId, name);
      return found === undefined ? undefined : now.#folders.get(found);
    };
    const act = async (): Promise<Entry> => await graph.post(createPath(path, parentId), { [named]: name, ...fields }, { purpose, budget, signal, repeatable: false });
    try {
      return { folder: await doOnce(this.#access, signal, { act, look }), isNew: true };
    } catch (error) {
      const found = hasCode(error, 'refused') && error.data['reason'] === 'ErrorFolderExists' ? await look() : undefined;
      if (found === undefined) throw error;
      return { folder: found, isNew: false };
    }
  }

  get #rootKey(): string { return `${this.#writing.source.name}/0`; }

  #idOf(key: string): string {
    return idBehind(`${this.#writing.source.name}/f/`, key);
  }

  #nameOf(id: string): string {
    return textOf(this.#folders.get(id) ?? {}, this.#writing.source.named);
  }

  #above(row: ItemRow | undefined): string {
    return row !== undefined && this.#rows.has(row.parent) && this.#writing.isNested ? row.parent : this.#rootKey;
  }

  /** Without a row of its own what lies in it has no folder of a name. */
  #wantedName(row: ItemRow | undefined): string {
    const name = row === undefined || row.name.trim() === '' ? this.#writing.source.title : row.name;
    return this.#options.mode === 'separate' && !this.#writing.isNested ? `${this.#options.folderName} - ${name}` : name;
  }

  #counterpart(row: ItemRow | undefined): string | undefined {
    if (row === undefined) return undefined;
    const same = this.#folders.get(this.#idOf(row.key));
    if (same !== undefined && this.#writing.isOwn?.(same) !== false) return idOf(same);
    const wellKnown = this.#writing.wellKnown(parseObject(row.meta));
    return wellKnown === '' ? undefined : [...this.#folders].find(([, folder]) => this.#writing.wellKnown(folder) === wellKnown)?.[0];
  }

  /** By its name, or as an earlier restore called it. What is made at the top may be shown below the folder that every mailbox has. */
  #childOf(parentId: string, name: string): string | undefined {
    const { suffix } = this.#options;
    const names = [name, ...(suffix === undefined ? [] : [`${name} ${suffix}`])].map((one) => one.toLowerCase());
    const isTop = (above: string): boolean => !this.#folders.has(above) || this.#writing.wellKnown(this.#folders.get(above) ?? {}) !== '';
    const children = [...this.#folders].filter(([id, folder]) => {
      const above = textOf(folder, 'parentFolderId');
      const isBelow = !this.#writing.isNested || (parentId === '' ? above === id || isTop(above) : above === parentId);
      return isBelow && this.#writing.isOwn?.(folder) !== false;
    });
    return names.map((one) => children.find(([id]) => this.#nameOf(id).toLowerCase() === one)?.[0]).find((id) => id !== undefined);
  }

  /** The folder and those above it. */
  #chain(id: string): string[] {
    const chain: string[] = [];
    for (let at = id; at !== '' && chain.length < DEEPEST && !chain.includes(at); at = textOf(this.#folders.get(at) ?? {}, 'parentFolderId')) chain.push(at);
    return chain;
  }
}

async function* nothing(): AsyncGenerator<readonly ItemRow[]> {
  // A destination has no snapshot before.
  yield [];
}
