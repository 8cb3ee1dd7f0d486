import type { GraphClient, GraphOptions } from './graphClient.ts';
import { hasCode, oddAnswer } from './graphErrors.ts';
import { entriesOf, linkOf, type Entry } from './pages.ts';

/** Entries that a page is asked to have: few requests beside those for contents, and half a megabyte or so, of which several are in memory in several forms at once. */
export const PAGE_SIZE = 250;
/** A round that never comes to its end because the token is lost each time. */
const MOST_RESTARTS = 4;

export interface DeltaRequest extends GraphOptions {
  /** Entries that are asked for at once; the service may give fewer. */
  readonly pageSize?: number | undefined;
  /** The first request of a full round, with its query options. */
  readonly start: string;
  /** The deltaLink of the round before; undefined: a full round. */
  readonly link: string | undefined;
}

/**
 * What a round tells. `restart`: what was told so far counts no longer, a full round begins; the entries after it are all there are.
 * An entry may come more than once, in any order: the last one counts.
 */
export type DeltaEvent =
  | { readonly type: 'restart' }
  | { readonly type: 'page'; readonly entries: readonly Entry[] };

export interface DeltaEnd {
  readonly link: string;
  /** Everything that exists was told, not only what changed. */
  readonly full: boolean;
}

/**
 * One round of a delta query, of whatever collection. A token that the service has lost, in any place of the round and in any of the ways in
 * which it says so, begins a full round: everything is listed again, and who asked sees by the entries that nothing has to be downloaded again.
 */
export async function* deltaRound(client: GraphClient, request: DeltaRequest): AsyncGenerator<DeltaEvent, DeltaEnd> {
  let full = request.link === undefined;
  let next = request.link ?? request.start;
  const options = { ...request, prefer: [...request.prefer ?? [], `odata.maxpagesize=${request.pageSize ?? PAGE_SIZE}`] };
  for (let restarts = 0; ;) {
    let document: Readonly<Record<string, unknown>>;
    try {
      document = await client.get(next, options);
    } catch (error) {
      if (!isLostToken(error, next, request) || restarts >= MOST_RESTARTS) throw error;
      restarts++;
      full = true;
      next = request.start;
      yield { type: 'restart' };
      continue;
    }
    yield { type: 'page', entries: entriesOf(document) };
    const end = linkOf(document, '@odata.deltaLink');
    if (end !== undefined) return { link: end, full };
    const link = linkOf(document, '@odata.nextLink');
    if (link === undefined || link === next) throw oddAnswer('a link to go on with');
    next = link;
  }
}

/** A link from a time when Graph was reached by another address is as good as lost. */
function isLostToken(error: unknown, at: string, { start }: DeltaRequest): boolean {
  if (at === start) return false;
  return hasCode(error, 'sync-lost') || (error instanceof Error && 'code' in error && error.code === 'http/foreign-address');
}
