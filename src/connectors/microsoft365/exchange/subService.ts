import type { RequestBudget } from '../../../rest/index.ts';
import type { BinaryString, Progress } from '../../../domain/index.ts';
import type { FetchContext, Fetched, PreviousState, SourceChange, SourceItem } from '../../contract.ts';
import type { GraphClient } from '../graph/graphClient.ts';
import type { Microsoft365Runtime } from '../settings.ts';
import type { Streams } from './streams/streams.ts';

/** How the parts of one mailbox reach it. */
export interface MailboxAccess {
  readonly graph: GraphClient;
  /** '/users/<id>': what all paths of the mailbox begin with. */
  readonly path: string;
  readonly budget: RequestBudget;
  readonly runtime: Microsoft365Runtime;
  /** The streams of its items; undefined: none are kept. */
  readonly streams?: Streams;
}

export interface SubServiceContext {
  /** Its own part of the cursor, as its `cursor()` gave it; undefined where everything is to be listed. Not to be trusted. */
  readonly cursor: unknown;
  /** The rows of the previous snapshot; only those under its own prefix are its business. */
  readonly previous: PreviousState;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Told how many items and exceptions the enumeration gives in all, as far as known by then. */
  readonly expect: (items: number) => void;
  /** A private directory for as long as the enumeration runs. */
  readonly scratch: string;
}

/**
 * A part of a mailbox by kind: mail, calendars, contacts … Each brings its own folders, items and part of the cursor. All keys of one begin with its
 * name and a slash; the session asks them in the order of their names, so each one's changes ascend within its own prefix.
 */
export interface SubService {
  /** Lower case, and no beginning of another's. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Of its items, as the descriptor knows them. */
  readonly kind: string;
  /** It holds nothing of the mailbox, but remarks about it: a run that could read nothing else fails. */
  readonly isRemark?: boolean;
  /** Requests that the content of an item takes, about, as long as none was fetched; 1 unless told. */
  readonly requests?: number;
  /** The global cloud alone is known to offer it: another one that refuses it is no failure, nor one that has no such path. */
  readonly isOfSomeClouds?: boolean;
  /** As {@link SourceSession.enumerate} in the contract, below its own prefix. All parts are listed before the first gives more than its first batch. */
  enumerate(context: SubServiceContext): AsyncIterable<readonly SourceChange[]>;
  /** JSON, asked for when the enumeration and the last fetch have ended. */
  cursor(): unknown;
  /** The content of one of its items. Called for several at once; what is refused for good is an outcome, what ends the run is thrown. */
  fetch(item: SourceItem, context: FetchContext): Promise<Fetched>;
  /** Contents that the service gives at once, at most; undefined: one. */
  readonly together?: number;
  /** As `fetch`, for up to `together` items. */
  fetchTogether?(items: readonly SourceItem[], context: FetchContext): Promise<readonly Fetched[]>;
}

/** Makes a sub-service for one mailbox. */
export type SubServiceFactory = (access: MailboxAccess) => SubService;

/** Key of the row that says that none of it could be read. It comes before all others of the sub-service. */
export function gapKey({ name }: SubService): BinaryString {
  return `${name}/!`;
}

export function ownsKey({ name }: SubService, key: BinaryString): boolean {
  return key.startsWith(`${name}/`);
}
