import { graphRoot } from '../server/call.ts';
import type { Call } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import { ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import type { Cursor, Ranked } from './cursor.ts';
import type { DeltaTokenLife } from './deltaTokenLife.ts';
import { linkWith, optionsOf } from './list.ts';
import type { Properties } from './list.ts';
import type { ODataQuery } from './query.ts';
import { checkProperties } from './typeProperties.ts';
import type { TypeName } from './typeProperties.ts';

/** What a delta query is made from. */
export interface DeltaSource {
  readonly type: TypeName;
  /** Names the collection (and its window): a token of another one is refused. */
  readonly resource: string;
  /** Grows with every change of the collection. */
  sequence(): number;
  entries(after: Cursor | undefined): Iterable<Ranked>;
  /** What changed after `since`, oldest first. */
  changes(since: number): Iterable<{ readonly sequence: number; readonly key: string }>;
  /** The entry's document now; undefined where it is gone. */
  document(key: string): Properties | undefined;
  /** What is told of an entry that is gone. */
  removed(key: string): Properties;
  shape(document: Properties, query: ODataQuery): Properties;
  readonly life: DeltaTokenLife;
  readonly defaultPage: number;
  readonly mostPage: number;
  /** Entries that an initial round tells at most, when filtered (fact 27). */
  readonly mostFiltered?: number;
}

interface DeltaState {
  readonly resource: string;
  readonly options: readonly (readonly [string, string])[];
  readonly size: number;
  readonly issue: number;
  readonly phase: 'initial' | 'changes';
  /** The sequence up to which everything was told, or will have been at the end of the round. */
  readonly since: number;
  readonly after?: Cursor;
  readonly told?: number;
}

const MOST_SCANNED = 5000;

/**
 * Answers one page of a delta query (facts 20 to 24). A round's deltaLink starts from the round's beginning, so what changed in between comes
 * again; each later page of an initial round repeats the last entry of the page before; a round that has changes begins with an empty page.
 */
export function answerDelta(call: Call, source: DeltaSource): Reply {
  const state = openState(call, source);
  const query = call.world.parseOptions(state.options);
  checkProperties(source.type, query.select ?? []);
  const page = state.phase === 'initial' ? initialPage(source, query, state) : changesPage(source, state, call.query.deltaToken !== undefined);
  const next = { ...page.next, issue: source.life.issue() };
  const link = linkWith(call, page.done ? '$deltatoken' : '$skiptoken', call.world.seal.seal(next));
  return ok({
    '@odata.context': `${graphRoot(call)}/$metadata#Collection(${source.type})`,
    value: page.documents.map((document) => ('@removed' in document ? document : source.shape(document, query))),
    [page.done ? '@odata.deltaLink' : '@odata.nextLink']: link,
  });
}

interface DeltaPage {
  readonly documents: Properties[];
  readonly next: DeltaState;
  readonly done: boolean;
}

function openState(call: Call, source: DeltaSource): DeltaState {
  const token = call.query.skipToken ?? call.query.deltaToken;
  const options = optionsOf(call);
  if (token === undefined || token === 'latest') {
    const { maxPageSize } = call.prefer;
    const size = Math.min(maxPageSize ?? call.query.top ?? source.defaultPage, source.mostPage);
    const phase = token === 'latest' ? 'changes' : 'initial';
    return { resource: source.resource, options: options.filter(([name]) => !/deltatoken/i.test(name)), size: Math.max(1, size), issue: 0, phase, since: source.sequence() };
  }
  const state = call.world.seal.open(token) as DeltaState | undefined;
  if (state?.resource !== source.resource) throw badRequest('The sync state token is not valid for this resource.', 'ErrorInvalidSyncStateData');
  source.life.check(state.issue, `${graphRoot(call)}${call.path}?$deltatoken=`);
  return state;
}

function initialPage(source: DeltaSource, query: ODataQuery, state: DeltaState): DeltaPage {
  const repeated = state.after === undefined ? undefined : source.document(state.after.key);
  const documents = repeated !== undefined && isTold(query, repeated) ? [repeated] : [];
  const most = query.filter === undefined ? undefined : source.mostFiltered;
  let { told = 0, after } = state;
  let scanned = 0;
  for (const entry of source.entries(state.after)) {
    if ((documents.length >= state.size && scanned > 0) || scanned === MOST_SCANNED) return { documents, next: goOn(state, told, after), done: false };
    if (most !== undefined && told >= most) break;
    const document = source.document(entry.key);
    scanned += 1;
    after = { rank: entry.rank, key: entry.key };
    if (document === undefined || !isTold(query, document)) continue;
    documents.push(document);
    told += 1;
  }
  return { documents, next: endOfRound(state, state.since), done: true };
}

function isTold(query: ODataQuery, document: Properties): boolean {
  return query.filter?.test(document) ?? true;
}

function goOn(state: DeltaState, told: number, after: Cursor | undefined): DeltaState {
  return { ...state, told, ...(after === undefined ? {} : { after }) };
}

function changesPage(source: DeltaSource, state: DeltaState, first: boolean): DeltaPage {
  const documents: Properties[] = [];
  let { since } = state;
  for (const change of source.changes(since)) {
    if (first) return { documents, next: { ...state, since }, done: false };
    // Entries of one change stay together: the token names changes, not entries.
    if (documents.length >= state.size && change.sequence !== since) return { documents, next: { ...state, since }, done: false };
    documents.push(source.document(change.key) ?? source.removed(change.key));
    since = change.sequence;
  }
  return { documents, next: endOfRound(state, since), done: true };
}

function endOfRound(state: DeltaState, since: number): DeltaState {
  return { resource: state.resource, options: state.options, size: state.size, issue: 0, phase: 'changes', since };
}
