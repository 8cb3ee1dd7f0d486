import { batch } from '../../../graph/batch.ts';
import { PAGE_SIZE } from '../../../graph/deltaRound.ts';
import { hasCode } from '../../../graph/graphErrors.ts';
import { pages, textOf, type Entry } from '../../../graph/pages.ts';
import { ORIGIN_ID, takeOrigin, type Origin } from '../../restore/origin.ts';
import type { TargetAccess } from '../../subTarget.ts';
import { MAIL_PURPOSE } from '../mailFolders.ts';
import { idOfKey } from '../mailKeys.ts';
import { listedMessage, messageOptions } from '../messageItem.ts';
import { stateOf, type MailState } from '../restore/mailState.ts';

/** A mail as it is now. */
export interface MailNow {
  readonly id: string;
  readonly folderId: string;
  readonly change: string;
  readonly state: MailState;
  readonly origin: Origin | undefined;
}

const OPTIONS = messageOptions(ORIGIN_ID).replace('$select=', '$select=parentFolderId,');

/** Those of the mails that are there, by id. */
export async function readMails({ graph, path, budget, runtime: { random, sleep, attempts } }: TargetAccess, ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, MailNow>> {
  const requests = ids.map((id) => ({ path: `${path}/messages/${encodeURIComponent(id)}?${OPTIONS}` }));
  const found = new Map<string, MailNow>();
  for (const [place, result] of (await batch(graph, requests, { purpose: MAIL_PURPOSE, budget, signal, random, sleep, attempts })).entries()) {
    if ('document' in result) found.set(ids[place] ?? '', mailNow(result.document));
    else if (!hasCode(result.error, 'not-found')) throw result.error;
  }
  return found;
}

/** The mails of a folder that a restore wrote its name upon, page by page. */
export async function* mailsOfRestore({ graph, path, budget }: TargetAccess, folderId: string, restore: string, signal: AbortSignal): AsyncGenerator<readonly MailNow[]> {
  const address = `${path}/mailFolders/${encodeURIComponent(folderId)}/messages?${OPTIONS}&$top=${PAGE_SIZE}`;
  try {
    for await (const entries of pages(graph, address, { purpose: MAIL_PURPOSE, budget, signal })) yield entries.map(mailNow).filter(({ origin }) => origin?.restore === restore);
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error;
  }
}

function mailNow(shown: Entry): MailNow {
  const { entry, origin } = takeOrigin(shown);
  const folderId = textOf(entry, 'parentFolderId');
  const { key, meta } = listedMessage(entry, folderId);
  return { id: idOfKey(key), folderId, change: textOf(entry, 'changeKey'), state: stateOf(meta), origin };
}
