import { batch, type BatchResult } from '../../graph/batch.ts';
import { PAGE_SIZE } from '../../graph/deltaRound.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, pages, type Entry } from '../../graph/pages.ts';
import { SortedSpool } from '../sortedSpool.ts';
import type { TargetAccess } from '../subTarget.ts';
import type { StandingItem } from './itemDecision.ts';
import type { Origin } from './origin.ts';
import type { ItemWriting, Place } from './partWriting.ts';
import { spoolStanding, StandingReader } from './standingReader.ts';

type StandingRecord = readonly [id: string, folderId: string, change: string, origin: Origin | null];

/** Reads documents of one part, twenty with a request. */
export async function readBatch({ graph, budget, runtime: { random, sleep, attempts } }: TargetAccess, { readPurpose }: ItemWriting, paths: readonly string[], signal: AbortSignal): Promise<BatchResult[]> {
  return await batch(graph, paths.map((path) => ({ path })), { purpose: readPurpose, budget, signal, random, sleep, attempts });
}

/** The items of one part of a mailbox by the item that they are, or were made from. They are listed once, into a spool on disk; see {@link StandingReader}. */
export class StandingItems {
  readonly #reader: StandingReader;

  private constructor(spool: SortedSpool) {
    this.#reader = new StandingReader(spool);
  }

  /** Lists what lies in these folders. */
  static async list(access: TargetAccess, writing: ItemWriting, folderIds: readonly string[], signal: AbortSignal): Promise<StandingItems> {
    const spool = new SortedSpool(await access.scratch(), `standing-${writing.name}`);
    const waiting = [...folderIds].reverse();
    const worker = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) await listFolder(access, writing, id, spool, signal);
    };
    await Promise.all(Array.from({ length: Math.min(access.budget.concurrent, folderIds.length) }, worker));
    return new StandingItems(spool);
  }

  /** What is this item, or was made from it by a restore. */
  async of(source: string): Promise<readonly StandingItem[]> {
    return (await this.#reader.of(source)).map((text) => {
      const [id, folderId, change, origin] = JSON.parse(text) as StandingRecord;
      return { id, folderId, change, origin: origin ?? undefined };
    });
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}

/** An item of a list in short form. */
export function standingItem({ listed, originOf }: ItemWriting, entry: Entry, folderId: string): StandingItem {
  return { id: idOf(entry), folderId, change: listed(entry, folderId).change, origin: originOf(entry) };
}

/** The items of a folder, page by page. */
export async function* standingIn(access: TargetAccess, writing: ItemWriting, folderId: string, signal: AbortSignal): AsyncGenerator<readonly StandingItem[]> {
  const { graph, path, budget } = access;
  const start = writing.listPath(path, folderId);
  const address = `${start}${start.includes('?') ? '&' : '?'}$top=${PAGE_SIZE}`;
  for await (const entries of pages(graph, address, { purpose: writing.readPurpose, budget, signal })) {
    const shown = await complete(access, writing, folderId, entries, signal);
    yield shown.map((entry) => standingItem(writing, entry, folderId));
  }
}

/** Entries that do not tell all are asked for by their id. */
async function complete(access: TargetAccess, writing: ItemWriting, folderId: string, entries: readonly Entry[], signal: AbortSignal): Promise<readonly Entry[]> {
  const short = entries.filter((entry) => writing.isShort?.(entry) === true);
  if (short.length === 0) return entries;
  const results = await readBatch(access, writing, short.map((entry) => writing.shortPath(access.path, { id: idOf(entry), folderId })), signal);
  const whole = new Map<Entry, Entry | undefined>();
  for (const [place, entry] of short.entries()) whole.set(entry, documentOf(results[place]));
  return entries.flatMap((entry): readonly Entry[] => {
    const shown = whole.has(entry) ? whole.get(entry) : entry;
    return shown === undefined ? [] : [shown];
  });
}

/** undefined for what is not there; any other error is thrown. */
export function documentOf(result: BatchResult | undefined): Entry | undefined {
  if (result === undefined) return undefined;
  if ('document' in result) return result.document;
  if (hasCode(result.error, 'not-found')) return undefined;
  throw result.error;
}

/** A folder that is not found is asked for twice: were its items not known, they would be made a second time. */
async function listFolder(access: TargetAccess, writing: ItemWriting, folderId: string, spool: SortedSpool, signal: AbortSignal): Promise<void> {
  const list = async (): Promise<void> => {
    for await (const items of standingIn(access, writing, folderId, signal)) {
      for (const { id, change, origin } of items) await spoolStanding(spool, id, origin, JSON.stringify([id, folderId, change, origin ?? null] satisfies StandingRecord));
    }
  };
  const ignoreMissing = (error: unknown): void => {
    if (!hasCode(error, 'not-found')) throw error;
  };
  try {
    await list();
  } catch (error) {
    ignoreMissing(error);
    await list().catch(ignoreMissing);
  }
}

/** Those of these items that are in one of the folders, by id: pages of a list shift while items come and go, so what it does not tell may be there all the same. */
export async function standingById(access: TargetAccess, writing: ItemWriting, places: readonly Place[], signal: AbortSignal): Promise<Map<string, StandingItem>> {
  const results = await readBatch(access, writing, places.map((place) => writing.shortPath(access.path, place)), signal);
  const found = new Map<string, StandingItem>();
  for (const [at, { id, folderId }] of places.entries()) {
    const result = results[at];
    // An id of another mailbox is refused.
    const isElsewhere = result !== undefined && 'error' in result && hasCode(result.error, 'refused');
    const document = isElsewhere ? undefined : documentOf(result);
    if (document !== undefined) found.set(id, standingItem(writing, document, typeof document['parentFolderId'] === 'string' ? document['parentFolderId'] : folderId));
  }
  return found;
}
