import type { HoldfastError, ItemRow } from '../../../../domain/index.ts';
import type { Fetched, SourceChange, SourceItem } from '../../../contract.ts';
import { batch } from '../../graph/batch.ts';
import { hasCode, oddAnswer } from '../../graph/graphErrors.ts';
import type { Entry } from '../../graph/pages.ts';
import { assertMailbox } from '../assertMailbox.ts';
import { canonicalJson, changeOf } from '../items/documents.ts';
import type { MailboxAccess, SubService, SubServiceContext } from '../subService.ts';
import { NAME, PARTS, settingItem, SETTINGS_PURPOSE, wholeList, type SettingsPart } from './settingsParts.ts';

/** Errors that concern one part alone; any other ends the run. */
const OF_PART = ['refused', 'unavailable', 'odd-answer', 'not-found'];

interface PartRead {
  readonly part: SettingsPart;
  readonly documents: readonly Entry[];
  /** It could not be read. */
  readonly error?: HoldfastError;
}

/** The settings of a mailbox, its rules and its categories: few and small, without delta queries, so they are read whole with one request. */
export class SettingsService implements SubService {
  readonly name = NAME;
  readonly title = 'Settings';
  readonly kind = 'setting';
  /** They are read with the listing. */
  readonly requests = 0;
  readonly #access: MailboxAccess;
  /** Contents of what changed, by key. */
  readonly #contents = new Map<string, Buffer>();

  constructor(access: MailboxAccess) {
    this.#access = access;
  }

  async *enumerate(context: SubServiceContext): AsyncGenerator<readonly SourceChange[]> {
    this.#contents.clear();
    const before = new Map<string, ItemRow>();
    for await (const rows of context.previous.rows(`${NAME}/`)) for (const row of rows) before.set(row.key, row);
    const changes = new Map<string, SourceChange>();
    const folder = (key: string, name: string): void => this.#put(changes, before, folderItem(key, name), undefined);
    folder(`${NAME}/0`, 'Settings');
    for (const part of PARTS) if (part.folder !== undefined) folder(part.folder, part.title);
    for (const { part, documents, error } of await this.#read(before, context.signal)) {
      const notice = `${NAME}/x/${part.prefix}`;
      if (error !== undefined) changes.set(notice, { type: 'exception', item: noticeItem(notice, part), outcome: { state: 'failed', code: 'unreadable', message: error.message } });
      else {
        for (const key of before.keys()) if (key.startsWith(part.prefix) || key === notice) changes.set(key, { type: 'removed', key });
        for (const document of documents) this.#put(changes, before, settingItem(part, document), Buffer.from(canonicalJson(document)));
      }
    }
    const sorted = [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
    if (sorted.length > 0) yield sorted;
  }

  /** A row that is new or another; one that is the same is no change. */
  #put(changes: Map<string, SourceChange>, before: ReadonlyMap<string, ItemRow>, item: SourceItem, content: Buffer | undefined): void {
    const row = before.get(item.key);
    if (row?.change === item.change && row.outcome === '') changes.delete(item.key);
    else if (content === undefined) changes.set(item.key, { type: 'item', item, content: { from: 'none' } });
    else {
      this.#contents.set(item.key, content);
      changes.set(item.key, { type: 'item', item: { ...item, size: content.length }, content: { from: 'fetch' } });
    }
  }

  /** Throws where none can be read. */
  async #read(before: ReadonlyMap<string, ItemRow>, signal: AbortSignal): Promise<readonly PartRead[]> {
    const { graph, path, budget, runtime } = this.#access;
    const options = { purpose: SETTINGS_PURPOSE, budget, signal };
    const results = await batch(graph, PARTS.map((part) => ({ path: path + part.path })), { ...options, random: runtime.random, sleep: runtime.sleep, attempts: runtime.attempts });
    const found: PartRead[] = [];
    for (const [place, part] of PARTS.entries()) {
      const result = results[place] ?? { error: oddAnswer('all parts of a batch') };
      if ('document' in result) found.push({ part, documents: part.folder === undefined ? [result.document] : await wholeList(graph, result.document, options) });
      else if (hasCode(result.error, ...OF_PART)) found.push(await this.#unread(part, result.error, before, signal));
      else throw result.error;
    }
    const [first] = found;
    if (first?.error !== undefined && found.every(({ error }) => error !== undefined)) throw first.error;
    return found;
  }

  /** What an earlier run found and this one does not is no proof that it is gone. */
  async #unread(part: SettingsPart, error: HoldfastError, before: ReadonlyMap<string, ItemRow>, signal: AbortSignal): Promise<PartRead> {
    const isMissing = hasCode(error, 'not-found');
    if (isMissing) await assertMailbox(this.#access, signal);
    const isLacking = isMissing && part.mayLack === true && ![...before.keys()].some((key) => key.startsWith(part.prefix));
    return isLacking ? { part, documents: [] } : { part, documents: [], error };
  }

  /** Nothing is left for the next run: it compares documents. */
  cursor(): Readonly<Record<string, never>> {
    return {};
  }

  fetch(item: SourceItem): Promise<Fetched> {
    const bytes = this.#contents.get(item.key);
    if (bytes === undefined) throw new TypeError(`a setting is fetched that was not listed: ${item.key}`);
    return Promise.resolve({ item, bytes });
  }
}

function folderItem(key: string, name: string): SourceItem {
  return { key, parent: key === `${NAME}/0` ? '' : `${NAME}/0`, name, kind: 'folder', size: 0, modified: null, change: changeOf(name), meta: '' };
}

function noticeItem(key: string, { title, folder }: SettingsPart): SourceItem {
  return { key, parent: folder ?? `${NAME}/0`, name: `All of ${title}`, kind: 'setting', size: 0, modified: null, change: '', meta: '' };
}
