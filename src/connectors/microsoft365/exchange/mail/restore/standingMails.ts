import { batch } from '../../../graph/batch.ts';
import { PAGE_SIZE } from '../../../graph/deltaRound.ts';
import { hasCode } from '../../../graph/graphErrors.ts';
import { pages, textOf, type Entry } from '../../../graph/pages.ts';
import { spoolStanding, StandingReader } from '../../restore/standingReader.ts';
import { SortedSpool } from '../../sortedSpool.ts';
import type { TargetAccess } from '../../subTarget.ts';
import { MAIL_PURPOSE } from '../mailFolders.ts';
import { idOfKey } from '../mailKeys.ts';
import { listedMessage, messageOptions } from '../messageItem.ts';
import type { DescribedMail } from './mailIdentity.ts';
import { ORIGIN_ID, takeOrigin, type Origin } from '../../restore/origin.ts';

/** A mail that stands at the destination, as far as a restore has to know it: with name, change key and meta of the row that a backup would make of it now. */
export interface StandingMail extends DescribedMail {
  readonly id: string;
  readonly folderId: string;
  /** Of one that a restore made. */
  readonly origin: Origin | undefined;
}

type StandingRecord = readonly [id: string, folderId: string, name: string, change: string, meta: string, origin: Origin | null];

/**
 * The mails of a mailbox by the message that they are, or were made from. They are listed once, into a spool on disk; see {@link StandingReader}.
 */
export class StandingMails {
  readonly #reader: StandingReader;

  private constructor(spool: SortedSpool) {
    this.#reader = new StandingReader(spool);
  }

  /** Lists what lies in these folders. */
  static async list(access: TargetAccess, folderIds: readonly string[], signal: AbortSignal): Promise<StandingMails> {
    const spool = new SortedSpool(await access.scratch(), 'standing');
    const waiting = [...folderIds].reverse();
    const worker = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) await listFolder(access, id, spool, signal);
    };
    await Promise.all(Array.from({ length: Math.min(access.budget.concurrent, folderIds.length) }, worker));
    return new StandingMails(spool);
  }

  /** What is this message, or was made from it by a restore. */
  async of(source: string): Promise<readonly StandingMail[]> {
    return (await this.#reader.of(source)).map(readRecord);
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}

/**
 * Those of these messages that stand in one of the folders, by id. Pages of a listing shift while mails come and go, so what it does not tell may be there all the
 * same. Asked before a mail is made a second time.
 */
export async function standingById(access: TargetAccess, ids: readonly string[], folderIds: readonly string[], signal: AbortSignal): Promise<Map<string, StandingMail>> {
  const { graph, path, budget, runtime: { random, sleep, attempts } } = access;
  const requests = ids.map((id) => ({ path: `${path}/messages/${encodeURIComponent(id)}?${messageOptions(ORIGIN_ID).replace('$select=', '$select=parentFolderId,')}` }));
  const results = await batch(graph, requests, { purpose: MAIL_PURPOSE, budget, signal, random, sleep, attempts });
  const found = new Map<string, StandingMail>();
  for (const [place, result] of results.entries()) {
    if ('document' in result) {
      const folderId = textOf(result.document, 'parentFolderId');
      // One that was purged may still be shown, where nobody sees it.
      if (folderIds.includes(folderId)) found.set(ids[place] ?? '', readRecord(JSON.stringify(recordOf(folderId, result.document))));
    } else if (!hasCode(result.error, 'not-found', 'refused')) throw result.error;
  }
  return found;
}

/** A folder that is not found is asked for twice: were its mails not known, they would be made a second time. */
async function listFolder(access: TargetAccess, folderId: string, spool: SortedSpool, signal: AbortSignal): Promise<void> {
  const ignoreMissing = (error: unknown): void => {
    // Deleted meanwhile, or at the top of a mailbox that keeps no mails there.
    if (!hasCode(error, 'not-found')) throw error;
  };
  try {
    await listOnce(access, folderId, spool, signal);
  } catch (error) {
    ignoreMissing(error);
    await listOnce(access, folderId, spool, signal).catch(ignoreMissing);
  }
}

async function listOnce({ graph, path, budget }: TargetAccess, folderId: string, spool: SortedSpool, signal: AbortSignal): Promise<void> {
  const address = `${path}/mailFolders/${encodeURIComponent(folderId)}/messages?${messageOptions(ORIGIN_ID)}&$top=${PAGE_SIZE}`;
  for await (const entries of pages(graph, address, { purpose: MAIL_PURPOSE, budget, signal })) {
    for (const entry of entries) await spoolOne(spool, folderId, entry);
  }
}

async function spoolOne(spool: SortedSpool, folderId: string, entry: Entry): Promise<void> {
  const record = recordOf(folderId, entry);
  const [id, , , , , origin] = record;
  const text = JSON.stringify(record);
  await spoolStanding(spool, id, origin ?? undefined, text);
}

function recordOf(folderId: string, shown: Entry): StandingRecord {
  const { entry, origin } = takeOrigin(shown);
  const { key, name, change, meta } = listedMessage(entry, folderId);
  return [idOfKey(key), folderId, name, change, meta, origin ?? null];
}

function readRecord(value: string): StandingMail {
  const [id, folderId, name, change, meta, origin] = JSON.parse(value) as StandingRecord;
  return { id, folderId, name, change, meta, origin: origin ?? undefined };
}
