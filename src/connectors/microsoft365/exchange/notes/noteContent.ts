import { isHoldfastError, type HoldfastError } from '../../../../domain/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { batch } from '../../graph/batch.ts';
import { hasCode, oddAnswer } from '../../graph/graphErrors.ts';
import type { ContentAccess } from '../items/folderedService.ts';
import { idBehind } from '../items/itemSource.ts';
import { exportItems } from '../streams/exportItems.ts';
import { SHOWN_WORDS, wordsOf, type NoteWords } from './noteWords.ts';
import { withWords } from './noteItem.ts';

export const NOTES_PURPOSE = 'export notes (MailboxFolder.Read.All, MailboxItem.Read.All, MailboxItem.Export.All)';

/** The stream of a note as the service exports it, and its first words as its name. */
export async function noteContent(from: ContentAccess, listed: SourceItem, context: FetchContext): Promise<Fetched> {
  const [content] = await noteContents(from, [listed], context);
  if (content === undefined) throw oddAnswer('the item that was to be exported');
  if (isHoldfastError(content)) throw content;
  return content;
}

/** The same of up to twenty notes (fact 55) with two requests: for each its content, or the error that concerns it alone; undefined where the answer lacks it. */
export async function noteContents(from: ContentAccess, listed: readonly SourceItem[], { signal }: FetchContext): Promise<readonly (Fetched | HoldfastError | undefined)[]> {
  const exported = await exportItems(from, listed.map(idOfNote), NOTES_PURPOSE, signal);
  const words = await wordsByKey(from, listed.filter((_, place) => Buffer.isBuffer(exported[place])), signal);
  return listed.map((item, place) => {
    const bytes = exported[place];
    if (bytes === undefined || isHoldfastError(bytes)) return bytes;
    return { item: { ...withWords(item, words.get(item.key)), size: bytes.length }, bytes };
  });
}

/** Nothing where the service does not tell them: they are no reason to lose a note. */
async function wordsByKey({ access: { graph, budget, runtime }, base }: ContentAccess, listed: readonly SourceItem[], signal: AbortSignal): Promise<ReadonlyMap<string, NoteWords>> {
  const requests = listed.map((item) => ({
    path: `${base}/folders/${encodeURIComponent(idBehind('notes/f/', item.parent))}/items/${encodeURIComponent(idOfNote(item))}?${SHOWN_WORDS}`,
  }));
  const { random, sleep, attempts } = runtime;
  const results = await batch(graph, requests, { purpose: NOTES_PURPOSE, budget, signal, random, sleep, attempts });
  const words = new Map<string, NoteWords>();
  for (const [place, { key }] of listed.entries()) {
    const result = results[place];
    if (result !== undefined && 'error' in result && !hasCode(result.error, 'refused', 'not-found')) throw result.error;
    if (result !== undefined && 'document' in result) words.set(key, wordsOf(result.document));
  }
  return words;
}

function idOfNote({ key }: SourceItem): string {
  return idBehind('notes/i/', key);
}
