import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { graphError, hasCode, oddAnswer, problemOf } from '../../graph/graphErrors.ts';
import { entriesOf, textOf } from '../../graph/pages.ts';
import { expandExtended, listOf } from '../items/documents.ts';
import type { ContentAccess } from '../items/folderedService.ts';
import { idBehind } from '../items/itemSource.ts';

export const NOTES_PURPOSE = 'export notes (MailboxFolder.Read.All, MailboxItem.Read.All, MailboxItem.Export.All)';
const SUBJECT = 'String 0x0037';
/** What the service says of an item that is not there. */
const GONE = /NotFound/;

/** The stream of a note as the service exports it (fact 57: not to be looked into; the same service takes it back), and its first words as its name. */
export async function noteContent({ access, base }: ContentAccess, listed: SourceItem, { signal }: FetchContext): Promise<Fetched> {
  const { graph, budget } = access;
  const options = { purpose: NOTES_PURPOSE, budget, signal };
  const id = idBehind('notes/i/', listed.key);
  const [answer] = entriesOf(await graph.post(`${base}/exportItems`, { itemIds: [id] }, { ...options, repeatable: true }));
  if (answer === undefined) throw oddAnswer('the item that was to be exported');
  const { error } = answer;
  if (error !== undefined && error !== null) {
    const problem = problemOf(400, answer);
    throw graphError(GONE.test(problem.code) ? { ...problem, status: 404 } : problem, NOTES_PURPOSE);
  }
  const data = textOf(answer, 'data');
  if (data === '') throw oddAnswer('the data of the item');
  const bytes = Buffer.from(data, 'base64');
  const { key, parent, kind, modified, change, meta } = listed;
  const name = await subjectOf({ access, base }, listed, signal) || listed.name;
  return { item: { key, parent, name, kind, size: bytes.length, modified, change, meta }, bytes };
}

/** '' where the service does not tell it: the name is no reason to lose the note. */
async function subjectOf({ access: { graph, budget }, base }: ContentAccess, { key, parent }: SourceItem, signal: AbortSignal): Promise<string> {
  const path = `${base}/folders/${encodeURIComponent(idBehind('notes/f/', parent))}/items/${encodeURIComponent(idBehind('notes/i/', key))}`;
  try {
    const item = await graph.get(`${path}?$expand=${encodeURIComponent(expandExtended([SUBJECT]))}`, { purpose: NOTES_PURPOSE, budget, signal });
    return textOf(listOf(item, 'singleValueExtendedProperties')[0] ?? {}, 'value');
  } catch (error) {
    if (hasCode(error, 'refused', 'not-found')) return '';
    throw error;
  }
}
