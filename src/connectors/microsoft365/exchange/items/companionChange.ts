import { COMPANION, companionKey, type ItemRow, type Outcome } from '../../../../domain/index.ts';
import type { SourceChange, SourceItem } from '../../../contract.ts';
import type { Streams } from '../streams/streams.ts';
import { idBehind, type ItemSource } from './itemSource.ts';

export interface CompanionRules {
  readonly source: Pick<ItemSource, 'keys' | 'streamChange' | 'streamMeta' | 'mayBeStreamAlone'>;
  /** undefined: none are wanted. */
  readonly streams: Streams | undefined;
  /** Folders whose items are another mailbox's, which gives them away itself. */
  readonly foreign: ReadonlySet<string>;
  /** Streams that failed last time are offered again. */
  readonly retry: boolean;
  readonly signal: AbortSignal;
}

/** Behind the change key of a mail whose stream alone is kept. The key of a listing is 16 bytes. */
const ALONE = '+';
const LISTED = 16;

/** The change key as a listing gives it, also of a mail whose stream alone is kept. */
export function listedChange(change: string): string {
  return change.length === LISTED + ALONE.length && change.endsWith(ALONE) ? change.slice(0, LISTED) : change;
}

/**
 * What becomes of an item's stream. `item`: as it is now; undefined: it is gone. `companion`: as the previous snapshot has it. A stream that is not the item's any more is
 * not kept where no new one is to be had.
 */
export async function companionChange(item: SourceItem | undefined, companion: ItemRow | undefined, rules: CompanionRules): Promise<SourceChange | undefined> {
  const { source: { streamChange, streamMeta }, retry } = rules;
  if (streamChange === undefined) return undefined;
  const gone: SourceChange | undefined = companion === undefined ? undefined : { type: 'removed', key: companion.key };
  if (item === undefined) return gone;
  const change = streamChange(item);
  const isSame = companion?.change === change;
  if (isSame && (companion.outcome === '' || !retry)) return undefined;
  const streams = await givenStreams(item, rules);
  if (streams === undefined) return isSame ? undefined : gone;
  const { key, name, size } = item;
  const offered: SourceItem = { key: companionKey(key), parent: key, name, kind: COMPANION, size, modified: null, change, meta: streamMeta?.(item) ?? '' };
  if (companion !== undefined && companion.outcome !== '') streams.offeredAgain(offered, JSON.parse(companion.outcome) as Outcome);
  return { type: 'item', item: offered, content: { from: 'fetch' } };
}

/** Where the stream alone is to be kept, and is to be had: the change without the content. Where a content is to be kept again that an earlier run left out, it is fetched. */
export async function inChosenForm(change: SourceChange | undefined, row: ItemRow | undefined, now: SourceItem | undefined, rules: CompanionRules): Promise<SourceChange | undefined> {
  const { source, streams } = rules;
  if (source.mayBeStreamAlone !== true) return change;
  const isAlone = streams?.fidelity === 'stream';
  if (change === undefined && now !== undefined && row !== undefined && row.change !== listedChange(row.change) && !isAlone) {
    return { type: 'item', item: { ...now, change: listedChange(now.change) }, content: { from: 'fetch' } };
  }
  if (change?.type !== 'item' || change.content.from !== 'fetch' || !isAlone || await givenStreams(change.item, rules) === undefined) return change;
  return { type: 'item', item: { ...change.item, change: change.item.change + ALONE, size: 0 }, content: { from: 'none' } };
}

/** Where an item is to have a stream, and the tenant grants it. */
async function givenStreams({ key, parent }: SourceItem, { source: { keys }, streams, foreign, signal }: CompanionRules): Promise<Streams | undefined> {
  if (streams === undefined || streams.fidelity === 'mime' || foreign.has(idBehind(keys.folders, parent))) return undefined;
  return await streams.areGranted(idBehind(keys.items, key), signal) ? streams : undefined;
}
