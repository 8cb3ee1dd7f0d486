import type { HoldfastError } from '../../../../domain/index.ts';
import { graphError, oddAnswer, problemOf } from '../../graph/graphErrors.ts';
import { entriesOf, textOf, type Entry } from '../../graph/pages.ts';
import type { ContentAccess } from '../items/folderedService.ts';

/** Fact 55. */
export const MOST_EXPORTED = 20;
/** What the service says of an item that is not there. */
const GONE = /NotFound/;

/**
 * The streams of up to twenty items of one mailbox, with one request: of each its bytes (fact 57: not to be looked into; the same service takes them back), or the error that concerns it
 * alone; undefined where the answer lacks it.
 */
export async function exportItems({ access, base }: ContentAccess, ids: readonly string[], purpose: string, signal: AbortSignal): Promise<readonly (Buffer | HoldfastError | undefined)[]> {
  const { graph, budget } = access;
  const answers = entriesOf(await graph.post(`${base}/exportItems`, { itemIds: ids }, { purpose, budget, signal, repeatable: true }));
  return ids.map((id) => dataOf(ids.length === 1 ? answers[0] : answers.find((answer) => textOf(answer, 'itemId') === id), purpose));
}

function dataOf(answer: Entry | undefined, purpose: string): Buffer | HoldfastError | undefined {
  if (answer === undefined) return undefined;
  const { error } = answer;
  if (error !== undefined && error !== null) {
    const problem = problemOf(400, answer);
    return graphError(GONE.test(problem.code) ? { ...problem, status: 404 } : problem, purpose);
  }
  const data = textOf(answer, 'data');
  return data === '' ? oddAnswer('the data of the item') : Buffer.from(data, 'base64');
}
