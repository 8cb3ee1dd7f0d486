import type { ItemRow } from '../../../../domain/index.ts';
import type { PreviousState, SourceChange, SourceItem } from '../../../contract.ts';
import { deltaRound, PAGE_SIZE } from '../../graph/deltaRound.ts';
import { idOf, isRemoved, pages, textOf, type Entry } from '../../graph/pages.ts';
import type { MailboxAccess, SubServiceContext } from '../subService.ts';
import { canonicalJson, changeOf } from './documents.ts';
import { idBehind, type ListedFolder } from './itemSource.ts';

/** Calendars, contact folders, task lists: how they are asked for. */
export interface FolderSource {
  /** Of the sub-service: what its keys begin with. */
  readonly name: string;
  /** Of the folder above all, for people. */
  readonly title: string;
  readonly purpose: string;
  readonly mode: 'delta' | 'list';
  /** Path of the first request. */
  start(base: string): string;
  /** The property that people know a folder by. */
  readonly named: 'name' | 'displayName';
  /** Properties that differ without the folder being another. */
  readonly volatile: readonly string[];
  /** False for a folder that is not this sub-service's. */
  keeps?(entry: Entry): boolean;
  /** True for a folder that is shown in this mailbox, and is part of another. */
  isForeign?(entry: Entry, all: readonly Entry[]): boolean;
  /** Folders that the list leaves out; asked for whenever everything is listed, which each run does until there are some. */
  others?(access: MailboxAccess, context: SubServiceContext, base: string): Promise<readonly Entry[]>;
}

interface Folder {
  readonly id: string;
  readonly name: string;
  /** Everything that the service tells of it. */
  readonly document: Entry;
}

/** The folders of a sub-service now, and those that the previous snapshot has. There are few of them. */
export class Folders {
  readonly #source: FolderSource;
  readonly #rows: ReadonlyMap<string, ItemRow>;
  readonly #now = new Map<string, Folder>();
  /** Where the next round begins; '' where each lists all. */
  link = '';

  private constructor(source: FolderSource, rows: ReadonlyMap<string, ItemRow>) {
    this.#source = source;
    this.#rows = rows;
  }

  /** `link`: where the round before ended; '' or undefined: all are listed. */
  static async sync(access: MailboxAccess, context: SubServiceContext, source: FolderSource, from: { readonly base: string; readonly link: string | undefined }): Promise<Folders> {
    const prefix = `${source.name}/f/`;
    const rows = new Map<string, ItemRow>();
    for await (const some of context.previous.rows(prefix)) for (const row of some) rows.set(idBehind(prefix, row.key), row);
    const folders = new Folders(source, rows);
    if (source.mode === 'delta') await folders.#readDelta(access, context, from);
    else await folders.#readList(access, context, from.base);
    return folders;
  }

  /** As they are listed. */
  get all(): readonly ListedFolder[] {
    const folders = [...this.#now.values()];
    const documents = folders.map(({ document }) => document);
    return folders.map(({ id, name, document }) => ({ id, name, isForeign: this.#source.isForeign?.(document, documents) === true }));
  }

  /** What the service tells of each. */
  get documents(): readonly Entry[] { return [...this.#now.values()].map(({ document }) => document); }

  /** Whether it was there in the previous snapshot. */
  wasKnown(id: string): boolean { return this.#rows.has(id); }

  /** True where the previous snapshot has folders that are there no more. */
  get someGone(): boolean { return [...this.#rows.keys()].some((id) => !this.#now.has(id)); }

  async #readList({ graph, budget, runtime }: MailboxAccess, { signal }: SubServiceContext, base: string): Promise<void> {
    const { purpose } = this.#source;
    const path = `${this.#source.start(base)}?$top=${runtime.pageSize ?? PAGE_SIZE}`;
    for await (const entries of pages(graph, path, { purpose, budget, signal })) for (const entry of entries) this.#take(entry);
  }

  async #readDelta(access: MailboxAccess, context: SubServiceContext, { base, link = '' }: { readonly base: string; readonly link: string | undefined }): Promise<void> {
    const { graph, budget, runtime } = access;
    let isFull = link === '';
    if (!isFull) for (const [id, row] of this.#rows) this.#now.set(id, this.#folderOfRow(id, row));
    const round = deltaRound(graph, {
      start: this.#source.start(base), link: isFull ? undefined : link, pageSize: runtime.pageSize, purpose: this.#source.purpose, budget, signal: context.signal,
    });
    for (;;) {
      const step = await round.next();
      if (step.done === true) {
        this.link = step.value.link;
        break;
      }
      if (step.value.type === 'restart') {
        this.#now.clear();
        isFull = true;
      } else for (const entry of step.value.entries) this.#take(entry);
    }
    if (!isFull || this.#source.others === undefined) return;
    const others = await this.#source.others(access, context, base);
    for (const entry of others) this.#take(entry);
    if (others.length === 0) this.link = '';
  }

  /** What an entry does not tell stays as it was. */
  #take(entry: Entry): void {
    const id = idOf(entry);
    if (isRemoved(entry)) {
      this.#now.delete(id);
      return;
    }
    const document = { ...this.#now.get(id)?.document, ...entry };
    if (this.#source.keeps?.(document) !== false) this.#now.set(id, { id, name: textOf(document, this.#source.named), document });
  }

  /** Rows of folders that are new or changed, and keys of those that are gone, ascending; the one at the top first. */
  async changes(previous: PreviousState): Promise<SourceChange[]> {
    const { name, title } = this.#source;
    const top: SourceItem = { key: `${name}/0`, parent: '', name: title, kind: 'folder', size: 0, modified: null, change: changeOf(title), meta: '' };
    let before: ItemRow | undefined;
    for await (const rows of previous.rows(top.key)) before ??= rows.find(({ key }) => key === top.key);
    const changes: SourceChange[] = before?.change === top.change ? [] : [{ type: 'item', item: top, content: { from: 'none' } }];
    for (const id of [...new Set([...this.#rows.keys(), ...this.#now.keys()])].sort((a, b) => (a < b ? -1 : 1))) {
      const folder = this.#now.get(id);
      if (folder === undefined) changes.push({ type: 'removed', key: `${name}/f/${id}` });
      else {
        const item = this.#itemOf(folder);
        if (this.#rows.get(id)?.change !== item.change) changes.push({ type: 'item', item, content: { from: 'none' } });
      }
    }
    return changes;
  }

  #itemOf({ id, name, document }: Folder): SourceItem {
    const { name: service, volatile } = this.#source;
    const parentId = textOf(document, 'parentFolderId');
    const parent = parentId !== id && this.#now.has(parentId) ? `${service}/f/${parentId}` : `${service}/0`;
    const kept = Object.fromEntries(Object.entries(document).filter(([property]) => !property.includes('@') && !volatile.includes(property)));
    const meta = canonicalJson(kept);
    return { key: `${service}/f/${id}`, parent, name, kind: 'folder', size: 0, modified: null, change: changeOf(parent, name, meta), meta };
  }

  #folderOfRow(id: string, row: ItemRow): Folder {
    return { id, name: row.name, document: parseObject(row.meta) };
  }
}

/** The fields of a row; none where it is broken. */
export function parseObject(meta: string): Entry {
  try {
    const value: unknown = JSON.parse(meta);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Entry : {};
  } catch {
    return {};
  }
}
