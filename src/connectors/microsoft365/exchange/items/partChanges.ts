import type { PreviousState, SourceChange } from '../../../contract.ts';
import type { SortedSpool } from '../sortedSpool.ts';
import type { ContentOutcomes } from './contentOutcomes.ts';
import { itemChanges } from './itemChanges.ts';
import type { Streams } from '../streams/streams.ts';
import type { FolderRound, ItemSource, ListedFolder } from './itemSource.ts';
import { noticeChanges, type NoticeOptions } from './notices.ts';

/** The folders of a part of a mailbox now, and those that the previous snapshot has. */
interface FolderState {
  /** True where the previous snapshot has folders that are there no more. */
  readonly someGone: boolean;
  /** Whether it was there in the previous snapshot. */
  wasKnown(id: string): boolean;
  /** Rows of folders that are new or changed, and keys of those that are gone, ascending. */
  changes(previous: PreviousState): Promise<SourceChange[]>;
}

interface PartChangesOptions {
  readonly source: ItemSource;
  readonly folders: FolderState;
  /** The folders that were read, how far each was, and what they told. */
  readonly read: readonly ListedFolder[];
  readonly rounds: ReadonlyMap<string, FolderRound>;
  readonly spool: SortedSpool;
  readonly previous: PreviousState;
  /** Contents that failed last time are offered again. */
  readonly retry: boolean;
  readonly outcomes: ContentOutcomes;
  /** Told how many items there are in all, as far as known by then. */
  readonly expect: (items: number) => void;
  /** For notices. */
  readonly names: Omit<NoticeOptions, 'keys' | 'denial'>;
  /** undefined: no streams are kept. */
  readonly streams: Streams | undefined;
  /** The forms in which all items were kept after the run before; undefined: not known. */
  readonly reached: string | undefined;
  /** Tells for all parts where there are no streams. */
  readonly tellsStreams?: true;
  readonly signal: AbortSignal;
}

/** When all folders of a part were read: what differs from the previous snapshot, in the order of the keys: folders, items, notices. */
export async function* partChanges(options: PartChangesOptions): AsyncGenerator<readonly SourceChange[]> {
  const { source, folders, read, rounds, spool, previous, retry, outcomes, expect, names, streams, reached, signal } = options;
  const changes = await folders.changes(previous);
  const folderItems = changes.filter(({ type }) => type === 'item').length;
  expect(folderItems + spool.length);
  if (changes.length > 0) yield changes;
  const isRelisted = [...rounds].some(([id, round]) => round.full && folders.wasKnown(id));
  const isOtherForm = source.streamChange !== undefined && reached !== (streams?.fidelity ?? 'mime');
  yield* itemChanges(spool, {
    source, previous, rounds, retry, scan: isRelisted || folders.someGone || retry || isOtherForm, onRetry: (item, outcome) => outcomes.offeredAgain(item, outcome),
    streams, foreign: new Set(read.flatMap(({ id, isForeign }) => (isForeign === true ? [id] : []))), signal,
    onCount: (items) => expect(folderItems + items),
  });
  await spool.remove();
  const notices = await noticeChanges({ keys: source.keys, ...names, ...(options.tellsStreams === true ? { denial: streams?.denial } : {}) }, read, rounds, previous);
  if (notices.length > 0) yield notices;
}
