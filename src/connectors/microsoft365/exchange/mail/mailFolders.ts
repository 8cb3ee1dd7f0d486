import type { ItemRow } from '../../../../domain/index.ts';
import type { SourceChange, SourceItem } from '../../../contract.ts';
import { batch } from '../../graph/batch.ts';
import { deltaRound } from '../../graph/deltaRound.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, isRemoved, textOf, type Entry } from '../../graph/pages.ts';
import type { MailboxAccess, SubServiceContext } from '../subService.ts';
import type { MailCursor } from './mailCursor.ts';
import { HELD } from './heldFolders.ts';
import { FOLDERS, folderKey, idOfKey, RECOVERABLE_KEY, ROOT_KEY } from './mailKeys.ts';
import { ownChange } from './messageItem.ts';

export const MAIL_PURPOSE = 'read mail (Mail.Read)';
const OPTIONS = '$select=id,displayName,parentFolderId,totalItemCount,isHidden';

/** Folders that Graph knows by name (fact 49). Hidden ones are in no list, so each is asked for: all in one batch, which takes twenty. */
const RECOVERABLE = ['recoverableitemsdeletions', ...HELD];
const WELL_KNOWN = ['msgfolderroot', 'inbox', 'drafts', 'sentitems', 'deleteditems', 'junkemail', 'outbox', 'archive', 'clutter', 'conversationhistory', 'scheduled', 'syncissues', 'conflicts',
  'localfailures', 'serverfailures', ...RECOVERABLE];

export interface MailFolder {
  readonly id: string;
  readonly name: string;
  /** '' at the top. */
  readonly parentId: string;
  /** Its name for programs: 'inbox' … */
  readonly wellKnown?: string;
  readonly hidden?: true;
  /** Of a search folder: it shows messages of other folders. */
  readonly search?: Readonly<Record<string, unknown>>;
  /** Messages, as far as known. */
  readonly count?: number;
}

/** The fields of a folder's row. */
export type FolderMeta = Pick<MailFolder, 'wellKnown' | 'hidden' | 'search'>;

/** The folders of a mailbox now, and those that the previous snapshot has. */
export class MailFolders {
  readonly #access: MailboxAccess;
  readonly #rows: ReadonlyMap<string, ItemRow>;
  readonly #now = new Map<string, MailFolder>();
  #rootId = '';
  link = '';

  constructor(access: MailboxAccess, rows: ReadonlyMap<string, ItemRow>) {
    this.#access = access;
    this.#rows = rows;
  }

  static async sync(access: MailboxAccess, context: SubServiceContext, cursor: MailCursor | undefined): Promise<MailFolders> {
    const rows = new Map<string, ItemRow>();
    for await (const batchOfRows of context.previous.rows(FOLDERS)) for (const row of batchOfRows) rows.set(idOfKey(row.key), row);
    const folders = new MailFolders(access, rows);
    await folders.#read(context, cursor);
    return folders;
  }

  get all(): Iterable<MailFolder> { return this.#now.values(); }

  get rootId(): string { return this.#rootId; }

  /** Whether it was there in the previous snapshot. */
  wasKnown(id: string): boolean { return this.#rows.has(id); }

  /** True where the previous snapshot has folders that are there no more. */
  get someGone(): boolean { return [...this.#rows.keys()].some((id) => !this.#now.has(id)); }

  async #read(context: SubServiceContext, cursor: MailCursor | undefined): Promise<void> {
    const { graph, path, budget, runtime } = this.#access;
    this.#rootId = cursor?.root ?? '';
    const link = cursor === undefined || cursor.folders === '' ? undefined : cursor.folders;
    if (link !== undefined) for (const [id, row] of this.#rows) this.#now.set(id, folderOfRow(id, row));
    let isNew = link === undefined;
    const round = deltaRound(graph, {
      start: `${path}/mailFolders/delta`, link, pageSize: runtime.pageSize, purpose: MAIL_PURPOSE, budget, signal: context.signal,
    });
    for (;;) {
      const step = await round.next();
      if (step.done === true) {
        this.link = step.value.link;
        break;
      }
      if (step.value.type === 'restart') {
        this.#now.clear();
        isNew = true;
      } else for (const entry of step.value.entries) isNew = this.#take(entry) || isNew;
    }
    if (isNew) await this.#findWellKnown(context);
  }

  /** True for a folder that nobody has seen before. */
  #take(entry: Entry): boolean {
    const id = idOf(entry);
    if (id === this.#rootId) return false;
    const before = this.#now.get(id);
    if (isRemoved(entry)) this.#now.delete(id);
    else this.#now.set(id, { ...before, ...folderOfEntry(id, entry, before) });
    return before === undefined && !isRemoved(entry);
  }

  /** Which folder is the inbox, and so on; and the hidden ones. Those that a mailbox does not have are refused one by one. */
  async #findWellKnown(context: SubServiceContext): Promise<void> {
    const results = await this.#ask(WELL_KNOWN, context);
    const lost: MailFolder[] = [];
    for (const [place, result] of results.entries()) {
      const wellKnown = WELL_KNOWN[place] ?? '';
      if (result === undefined) lost.push(...this.#knownAs(wellKnown));
      else if (wellKnown === 'msgfolderroot') {
        this.#rootId = idOf(result);
        this.#now.delete(this.#rootId);
      } else this.#name(result, wellKnown);
    }
    if (lost.length > 0) await this.#findAgain(lost, context);
  }

  /** What the previous snapshot has under a name that is not found now. No list shows the hidden ones, so one answer would take all their mail away: they are asked for by their ids. */
  async #findAgain(lost: readonly MailFolder[], context: SubServiceContext): Promise<void> {
    const results = await this.#ask(lost.map(({ id }) => encodeURIComponent(id)), context);
    for (const [place, { wellKnown }] of lost.entries()) {
      const result = results[place];
      if (result !== undefined && wellKnown !== undefined) this.#name(result, wellKnown);
    }
  }

  /** Folders by what stands in their paths; undefined for one that is not there. */
  async #ask(names: readonly string[], { signal }: SubServiceContext): Promise<readonly (Entry | undefined)[]> {
    const { graph, path, budget, runtime: { random, sleep, attempts } } = this.#access;
    const requests = names.map((name) => ({ path: `${path}/mailFolders/${name}?${OPTIONS}` }));
    const results = await batch(graph, requests, { purpose: MAIL_PURPOSE, budget, signal, random, sleep, attempts });
    return results.map((result) => {
      if ('document' in result) return result.document;
      if (!hasCode(result.error, 'not-found', 'refused')) throw result.error;
      return undefined;
    });
  }

  #name(entry: Entry, wellKnown: string): void {
    const id = idOf(entry);
    const listed = this.#now.get(id);
    this.#now.set(id, { ...folderOfEntry(id, entry, listed), wellKnown, ...(listed === undefined ? { hidden: true } : {}) });
  }

  #knownAs(wellKnown: string): MailFolder[] {
    return [...this.#rows].map(([id, row]) => folderOfRow(id, row)).filter((folder) => folder.wellKnown === wellKnown);
  }

  /** Rows of folders that are new or changed, and keys of those that are gone, ascending; the two at the top first. */
  async changes(previous: SubServiceContext['previous']): Promise<SourceChange[]> {
    const changes: SourceChange[] = [];
    for (const item of [topItem(ROOT_KEY, 'Mail'), topItem(RECOVERABLE_KEY, 'Recoverable Items')]) {
      let before: ItemRow | undefined;
      for await (const rows of previous.rows(item.key)) before ??= rows.find(({ key }) => key === item.key);
      if (before?.change !== item.change) changes.push({ type: 'item', item, content: { from: 'none' } });
    }
    const ids = [...new Set([...this.#rows.keys(), ...this.#now.keys()])].sort((a, b) => (a < b ? -1 : 1));
    for (const id of ids) {
      const folder = this.#now.get(id);
      if (folder === undefined) changes.push({ type: 'removed', key: folderKey(id) });
      else {
        const item = this.#item(folder);
        if (this.#rows.get(id)?.change !== item.change) changes.push({ type: 'item', item, content: { from: 'none' } });
      }
    }
    return changes;
  }

  #item({ id, name, parentId, wellKnown, hidden, search }: MailFolder): SourceItem {
    const top = wellKnown !== undefined && RECOVERABLE.includes(wellKnown) ? RECOVERABLE_KEY : ROOT_KEY;
    const parent = this.#now.has(parentId) ? folderKey(parentId) : top;
    const meta: FolderMeta = { ...(wellKnown === undefined ? {} : { wellKnown }), ...(hidden === undefined ? {} : { hidden }), ...(search === undefined ? {} : { search }) };
    const text = JSON.stringify(meta);
    return { key: folderKey(id), parent, name, kind: 'folder', size: 0, modified: null, change: ownChange(parent, name, text), meta: text };
  }
}

function topItem(key: string, name: string): SourceItem {
  return { key, parent: '', name, kind: 'folder', size: 0, modified: null, change: ownChange(key, name), meta: '' };
}

/** What the entry does not tell stays as it was. */
function folderOfEntry(id: string, entry: Entry, before: MailFolder | undefined): MailFolder {
  const count = entry['totalItemCount'];
  const { name, parentId, wellKnown, hidden, search = searchOf(entry) } = { name: '', parentId: '', ...before };
  return {
    id, name: textOf(entry, 'displayName') || name, parentId: textOf(entry, 'parentFolderId') || parentId,
    ...(wellKnown === undefined ? {} : { wellKnown }), ...(entry['isHidden'] === true || hidden === true ? { hidden: true } : {}),
    ...(search === undefined ? {} : { search }), ...(typeof count === 'number' ? { count } : {}),
  };
}

function searchOf(entry: Entry): MailFolder['search'] {
  if (!textOf(entry, '@odata.type').endsWith('mailSearchFolder')) return undefined;
  const { includeNestedFolders, sourceFolderIds, filterQuery } = entry;
  return { includeNestedFolders, sourceFolderIds, filterQuery };
}

function folderOfRow(id: string, row: ItemRow): MailFolder {
  const parentId = row.parent.startsWith(FOLDERS) ? idOfKey(row.parent) : '';
  return { id, name: row.name, parentId, ...parseFolderMeta(row.meta) };
}

/** Fields that a broken row lacks read as absent. */
export function parseFolderMeta(meta: string): FolderMeta {
  try {
    const value: unknown = JSON.parse(meta);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
