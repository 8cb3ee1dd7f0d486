import { isHoldfastError, type HoldfastError } from '../../../../domain/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { batch } from '../../graph/batch.ts';
import { graphError, hasCode, oddAnswer, problemOf } from '../../graph/graphErrors.ts';
import { entriesOf, textOf, type Entry } from '../../graph/pages.ts';
import { expandExtended, listOf } from '../items/documents.ts';
import type { ContentAccess } from '../items/folderedService.ts';
import { idBehind } from '../items/itemSource.ts';

export const NOTES_PURPOSE = 'export notes (MailboxFolder.Read.All, MailboxItem.Read.All, MailboxItem.Export.All)';
const SUBJECT = 'String 0x0037';
/** What the service says of an item that is not there. */
const GONE = /NotFound/;

/** The stream of a note as the service exports it (fact 57: not to be looked into; the same service takes it back), and its first words as its name. */
export async function noteContent(from: ContentAccess, listed: SourceItem, context: FetchContext): Promise<Fetched> {
  const [content] = await noteContents(from, [listed], context);
  if (content === undefined) throw oddAnswer('the item that was to be exported');
  if (isHoldfastError(content)) throw content;
  return content;
}

/** The same of up to twenty notes (fact 55) with two requests: for each its content, or the error that concerns it alone; undefined where the answer lacks it. */
export async function noteContents({ access, base }: ContentAccess, listed: readonly SourceItem[], { signal }: FetchContext): Promise<readonly (Fetched | HoldfastError | undefined)[]> {
  const { graph, budget } = access;
  const ids = listed.map(idOfNote);
  const answers = entriesOf(await graph.post(`${base}/exportItems`, { itemIds: ids }, { purpose: NOTES_PURPOSE, budget, signal, repeatable: true }));
  const exported = ids.map((id) => dataOf(ids.length === 1 ? answers[0] : answers.find((answer) => textOf(answer, 'itemId') === id)));
  const names = await subjectsOf({ access, base }, listed.filter((_, place) => Buffer.isBuffer(exported[place])), signal);
  return listed.map((item, place) => {
    const bytes = exported[place];
    if (bytes === undefined || isHoldfastError(bytes)) return bytes;
    const { key, parent, kind, modified, change, meta } = item;
    return { item: { key, parent, name: names.get(key) ?? item.name, kind, size: bytes.length, modified, change, meta }, bytes };
  });
}

function dataOf(answer: Entry | undefined): Buffer | HoldfastError | undefined {
  if (answer === undefined) return undefined;
  const { error } = answer;
  if (error !== undefined && error !== null) {
    const problem = problemOf(400, answer);
    return graphError(GONE.test(problem.code) ? { ...problem, status: 404 } : problem, NOTES_PURPOSE);
  }
  const data = textOf(answer, 'data');
  return data === '' ? oddAnswer('the data of the item') : Buffer.from(data, 'base64');
}

/** By key; nothing where the service does not tell it: the name is no reason to lose a note. */
async function subjectsOf({ access: { graph, budget, runtime }, base }: ContentAccess, listed: readonly SourceItem[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const requests = listed.map((item) => ({
    path: `${base}/folders/${encodeURIComponent(idBehind('notes/f/', item.parent))}/items/${encodeURIComponent(idOfNote(item))}?$expand=${encodeURIComponent(expandExtended([SUBJECT]))}`,
  }));
  const { random, sleep, attempts } = runtime;
  const results = await batch(graph, requests, { purpose: NOTES_PURPOSE, budget, signal, random, sleep, attempts });
  const names = new Map<string, string>();
  for (const [place, { key }] of listed.entries()) {
    const result = results[place];
    if (result !== undefined && 'error' in result && !hasCode(result.error, 'refused', 'not-found')) throw result.error;
    const name = result !== undefined && 'document' in result ? textOf(listOf(result.document, 'singleValueExtendedProperties')[0] ?? {}, 'value') : '';
    if (name !== '') names.set(key, name);
  }
  return names;
}

function idOfNote({ key }: SourceItem): string {
  return idBehind('notes/i/', key);
}
