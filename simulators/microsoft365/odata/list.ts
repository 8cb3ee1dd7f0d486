import { graphRoot } from '../server/call.ts';
import type { Call } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import { ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import type { Cursor, Ranked } from './cursor.ts';
import type { ODataQuery } from './query.ts';
import { parseSearch } from './search.ts';
import { checkProperties } from './typeProperties.ts';
import type { TypeName } from './typeProperties.ts';
import { textOf } from './textOf.ts';

export type Properties = Record<string, unknown>;

/** What a list is made from. Entries come in rank order; the document of an entry is made only when it is asked for. */
export interface Listing {
  readonly type: TypeName;
  entries(after: Cursor | undefined): Iterable<Ranked & { document(): Properties }>;
  /** All entries, for $count. */
  count(): number;
  readonly defaultTop: number;
  readonly mostTop: number;
  /** The property that rank already orders by, descending: $orderby of it costs nothing. */
  readonly rankedBy?: string;
  /** Whether $search is understood; else it is refused. */
  readonly searchable?: boolean;
  /** Reduces and expands a document as the query says. */
  shape(document: Properties, query: ODataQuery): Properties;
}

/** What a list's nextLink carries: the options of the first call, and where to go on. */
interface PageState {
  readonly path: string;
  readonly options: readonly (readonly [string, string])[];
  readonly after?: Cursor;
  readonly skip?: number;
  readonly size: number;
}

const MOST_SCANNED = 20_000;

/** Answers a list: filter, order, page, and a nextLink while there is more. */
export function answerList(call: Call, listing: Listing): Reply {
  const state = openState(call);
  const query = withSearch(listing, state === undefined ? call.query : restoreQuery(call, state));
  checkProperties(listing.type, [...(query.select ?? []), ...(query.filter?.properties ?? []), ...query.orderBy.map(({ property }) => property)]);
  const size = state?.size ?? pageSize(call, listing);
  const page = pageOf(listing, query, size, state);
  const next: PageState | undefined = page.next === undefined ? undefined : { path: call.path, options: state?.options ?? optionsOf(call), size, ...page.next };
  return ok({
    '@odata.context': `${graphRoot(call)}/$metadata#${call.path.slice(1)}`,
    ...(query.count ? { '@odata.count': query.filter === undefined ? listing.count() : countMatching(listing, query) } : {}),
    value: page.documents.map((document) => listing.shape(document, query)),
    ...(next === undefined ? {} : { '@odata.nextLink': linkWith(call, '$skiptoken', call.world.seal.seal(next)) }),
  });
}

/** The request's own address with one token for its query. */
export function linkWith(call: Call, name: string, token: string): string {
  return `${graphRoot(call)}${call.request.url.split('?')[0]?.replace(/^\/v1\.0/i, '') ?? ''}?${name}=${token}`;
}

/** The query that a token's options stand for. */
export function optionsOf(call: Call): (readonly [string, string])[] {
  return [...new URL(call.request.url, call.world.origin).searchParams];
}

function openState(call: Call): PageState | undefined {
  const token = call.query.skipToken;
  if (token === undefined) return undefined;
  const state = call.world.seal.open(token) as PageState | undefined;
  if (state?.path !== call.path || state.size === undefined) throw badRequest('The skip token is not valid for this request.', 'InvalidSkipToken');
  return state;
}

function restoreQuery(call: Call, state: PageState): ODataQuery {
  return call.world.parseOptions(state.options);
}

function pageSize(call: Call, listing: Listing): number {
  const { top } = call.query;
  if (top !== undefined && (top > listing.mostTop || top === 0)) {
    throw badRequest(`Invalid page size specified: '${top}'. Must be between 1 and ${listing.mostTop} inclusive.`);
  }
  return Math.min(top ?? call.prefer.maxPageSize ?? listing.defaultTop, call.prefer.maxPageSize ?? listing.mostTop, listing.mostTop);
}

function isRankOrder(query: ODataQuery, listing: Listing): boolean {
  const [first, ...others] = query.orderBy;
  return first !== undefined && others.length === 0 && first.descending && first.property === listing.rankedBy;
}

interface Page {
  readonly documents: Properties[];
  readonly next: { readonly after: Cursor } | { readonly skip: number } | undefined;
}

/** A $search as a part of the filter. */
function withSearch(listing: Listing, query: ODataQuery): ODataQuery {
  if (query.search === undefined) return query;
  if (listing.searchable !== true) throw badRequest('The simulator knows $search for users, groups and members only.', 'SearchNotSimulated');
  const search = parseSearch(query.search);
  const { filter } = query;
  return { ...query, filter: { properties: filter?.properties ?? [], test: (item) => search(item) && (filter?.test(item) ?? true) } };
}

function pageOf(listing: Listing, query: ODataQuery, size: number, state: PageState | undefined): Page {
  const sorted = query.orderBy.length > 0 && !isRankOrder(query, listing);
  return sorted ? sortedPage(listing, query, size, state?.skip ?? query.skip) : rankedPage(listing, query, size, state);
}

/** One pass from the cursor on. With a filter that rarely matches a page may be short, or empty, and still have a nextLink. */
function rankedPage(listing: Listing, query: ODataQuery, size: number, state: PageState | undefined): Page {
  const documents: Properties[] = [];
  let skip = state === undefined ? query.skip : 0;
  let scanned = 0;
  let last: Cursor | undefined;
  for (const entry of listing.entries(state?.after)) {
    if (documents.length === size || scanned === MOST_SCANNED) return { documents, next: last === undefined ? undefined : { after: last } };
    if (query.filter === undefined && skip > 0) skip -= 1;
    else {
      const document = entry.document();
      const matches = query.filter?.test(document) ?? true;
      if (matches && skip > 0) skip -= 1;
      else if (matches) documents.push(document);
      scanned += query.filter === undefined ? 0 : 1;
    }
    last = { rank: entry.rank, key: entry.key };
  }
  return { documents, next: undefined };
}

/** Sorting needs all sort keys at once; the documents of the page alone are kept. */
function sortedPage(listing: Listing, query: ODataQuery, size: number, skip: number): Page {
  const rows: { readonly keys: readonly unknown[]; readonly document: () => Properties }[] = [];
  for (const entry of listing.entries(undefined)) {
    const document = entry.document();
    if (query.filter?.test(document) === false) continue;
    rows.push({ keys: query.orderBy.map(({ property }) => property.split('/').reduce<unknown>((value, part) => (value as Properties | undefined)?.[part], document)), document: () => entry.document() });
  }
  rows.sort((a, b) => {
    for (const [place, { descending }] of query.orderBy.entries()) {
      const order = compareKeys(a.keys[place], b.keys[place]);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
  const page = rows.slice(skip, skip + size).map(({ document }) => document());
  return { documents: page, next: skip + size < rows.length ? { skip: skip + size } : undefined };
}

function compareKeys(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [textOf(a).toLowerCase(), textOf(b).toLowerCase()];
  return left < right ? -1 : Number(left > right);
}

function countMatching(listing: Listing, query: ODataQuery): number {
  let count = 0;
  for (const entry of listing.entries(undefined)) count += query.filter?.test(entry.document()) === false ? 0 : 1;
  return count;
}

/** A listing over a list that is small enough to stand in memory, in the order given. */
export function arrayListing(
  type: TypeName, documents: readonly Properties[], shape: Listing['shape'], sizes: { defaultTop?: number; mostTop?: number } = {},
): Listing {
  return {
    type, shape,
    defaultTop: sizes.defaultTop ?? 100,
    mostTop: sizes.mostTop ?? 999,
    count: () => documents.length,
    *entries(after) {
      for (let place = after === undefined ? 0 : 1 - after.rank; place < documents.length; place++) {
        yield { rank: -place, key: '', document: () => documents[place] ?? {} };
      }
    },
  };
}

