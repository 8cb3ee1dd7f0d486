import type { ItemRow } from '../../../../domain/index.ts';
import type { Fetched, SourceChange, SourceItem } from '../../../contract.ts';
import { batch, type BatchResult } from '../../graph/batch.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { canonicalJson, changeOf } from '../items/documents.ts';
import type { MailboxAccess, SubService, SubServiceContext } from '../subService.ts';

/** Its name: what its keys begin with. */
export const UNREACHED = 'unreached';
const PURPOSE = 'look whether archives, public folders and what a hold keeps are reachable (Mail.Read)';
/** A mailbox is asked again so often: nothing is there to be found in most weeks. */
const ASKED_EVERY_MS = 7 * 86_400_000;

interface Gap {
  readonly id: string;
  readonly title: string;
  /** Of a folder that other interfaces of Exchange know by this name. */
  readonly path: string;
  readonly reason: string;
  /** Where it is reachable another part reads it, and there is no gap. */
  readonly isRead?: true;
}

/** Facts 49, 51 and 52. */
const GAPS: readonly Gap[] = [
  {
    id: 'archive', title: 'In-place archive', path: '/mailFolders/archivemsgfolderroot?$select=id',
    reason: 'Microsoft Graph does not give access to in-place archive mailboxes. If this mailbox has one, its items are in no backup.',
  },
  {
    id: 'holds', title: 'What a legal hold keeps', path: '/mailFolders/recoverableitemspurges?$select=id', isRead: true,
    reason: 'Microsoft Graph does not give access to the folder of this mailbox for what was deleted for good (Purges). If the mailbox is on hold, what only the hold keeps is in no backup.',
  },
  {
    id: 'publicFolders', title: 'Public folders', path: '/mailFolders/publicfoldersroot?$select=id',
    reason: 'Microsoft Graph does not give access to public folders. If the organisation has some, their items are in no backup.',
  },
];

interface UnreachedCursor {
  /** Milliseconds since 1970. */
  readonly askedAt: number;
}

/**
 * What belongs to a mailbox and is out of reach: an item for each, which says why and since when, so that it is seen where the rest of the mailbox is. The
 * service is asked: one that answers some day makes another item.
 */
export class UnreachedService implements SubService {
  readonly name = UNREACHED;
  readonly title = 'Out of reach';
  readonly kind = 'gap';
  readonly isRemark = true;
  readonly #access: MailboxAccess;
  readonly #contents = new Map<string, Buffer>();
  #cursor: UnreachedCursor | undefined;

  constructor(access: MailboxAccess) {
    this.#access = access;
  }

  async *enumerate(context: SubServiceContext): AsyncGenerator<readonly SourceChange[]> {
    this.#contents.clear();
    const { runtime: { clock } } = this.#access;
    const before = parseCursor(context.cursor);
    const now = clock.now();
    if (before !== undefined && now >= before.askedAt && now - before.askedAt < ASKED_EVERY_MS) {
      this.#cursor = before;
      return;
    }
    const rows = new Map<string, ItemRow>();
    for await (const some of context.previous.rows(`${UNREACHED}/`)) for (const row of some) rows.set(row.key, row);
    const results = await this.#ask(context.signal);
    const changes: SourceChange[] = rows.has(`${UNREACHED}/0`) ? [] : [{ type: 'item', item: topItem(this.title), content: { from: 'none' } }];
    let isKnown = true;
    for (const [place, gap] of GAPS.entries()) {
      const answer = answerOf(results[place]);
      isKnown &&= answer !== undefined;
      if (answer !== undefined) changes.push(...this.#changeOf(gap, answer, rows, new Date(now).toISOString().slice(0, 10)));
    }
    // What could not be asked is asked by the next run.
    this.#cursor = isKnown ? { askedAt: now } : undefined;
    if (changes.length > 0) yield changes;
  }

  #changeOf({ id, title, path, reason, isRead }: Gap, answer: string, rows: ReadonlyMap<string, ItemRow>, date: string): readonly SourceChange[] {
    const key = `${UNREACHED}/g/${id}`;
    const change = changeOf(id, answer);
    const row = rows.get(key);
    if (row?.change === change && row.outcome === '') return [];
    const isReachable = answer === REACHABLE;
    if (isReachable && isRead === true) return row === undefined ? [] : [{ type: 'removed', key }];
    const said = isReachable ? 'Microsoft Graph answers for it now, but this version of Holdfast does not read it. Ask for one that does.' : reason;
    const name = `${title}: ${isReachable ? 'not read' : 'not reachable'} (asked on ${date})`;
    const content = Buffer.from(canonicalJson({ what: title, asked: date, request: `GET /users/{id}${path}`, answer, reason: said }));
    this.#contents.set(key, content);
    const item = { key, parent: `${UNREACHED}/0`, name, kind: this.kind, size: content.length, modified: null, change, meta: '' };
    return [{ type: 'item', item, content: { from: 'fetch' } }];
  }

  async #ask(signal: AbortSignal): Promise<readonly BatchResult[]> {
    const { graph, path, budget, runtime } = this.#access;
    const requests = GAPS.map((gap) => ({ path: path + gap.path }));
    return await batch(graph, requests, { purpose: PURPOSE, budget, signal, random: runtime.random, sleep: runtime.sleep, attempts: runtime.attempts });
  }

  cursor(): UnreachedCursor | undefined {
    return this.#cursor;
  }

  fetch(item: SourceItem): Promise<Fetched> {
    const bytes = this.#contents.get(item.key);
    if (bytes === undefined) throw new TypeError(`a gap is fetched that was not listed: ${item.key}`);
    return Promise.resolve({ item, bytes });
  }
}

const REACHABLE = 'it is there';

/** undefined where nothing was learned. A refusal in any form is an answer; a mailbox that is gone is found by the other parts. */
function answerOf(result: BatchResult | undefined): string | undefined {
  if (result === undefined) return undefined;
  if ('document' in result) return REACHABLE;
  const { error } = result;
  if (!hasCode(error, 'refused', 'not-found', 'no-permission', 'no-mailbox')) return undefined;
  return `${String(error.data['status'])} ${String(error.data['reason'])}`;
}

function topItem(name: string): SourceItem {
  return { key: `${UNREACHED}/0`, parent: '', name, kind: 'folder', size: 0, modified: null, change: changeOf(name), meta: '' };
}

function parseCursor(value: unknown): UnreachedCursor | undefined {
  const { askedAt } = (typeof value === 'object' && value !== null ? value : {}) as { askedAt?: unknown };
  return typeof askedAt === 'number' ? { askedAt } : undefined;
}
