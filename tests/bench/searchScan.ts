import type { Catalog, SearchQuery } from '../../src/catalog/index.ts';
import { matches, type PlainDocument } from '../search/plainMatcher.ts';

/** A search; `at`: only what this snapshot shows. */
export type Question = SearchQuery & { readonly at?: string };

/** All mails, as a plain scan reads them. */
export interface Scanned {
  readonly mails: number;
  readonly document: (index: number) => PlainDocument;
  /** How many of the first mails a snapshot shows. */
  readonly shownAt: (snapshot: string) => number;
  /** The number of the mail with this key. */
  readonly indexOf: (key: string) => number;
}

/** Which mails were found: how many, and a sum that tells sets of them apart. */
interface Tally {
  hits: number;
  sum: number;
}

const PAGE = 1000;

function add(tally: Tally, index: number): void {
  tally.hits++;
  tally.sum = (tally.sum + Math.imul(index + 1, 0x9e3779b1) + Math.imul(index ^ (index >>> 7), 0x85ebca6b)) >>> 0;
}

/** What reading all mails one after another finds for each question; no index, no order, flat memory. */
function scan(questions: readonly Question[], { mails, document, shownAt }: Scanned): Tally[] {
  const tallies = questions.map((): Tally => ({ hits: 0, sum: 0 }));
  const asked = questions.map(({ at, ...query }) => ({ query, below: at === undefined ? mails : shownAt(at) }));
  for (let index = 0; index < mails; index++) {
    const said = document(index);
    for (const [i, { query, below }] of asked.entries()) {
      if (index < below && matches(said, query) === true) add(tallies[i] as Tally, index);
    }
  }
  return tallies;
}

/** All hits of a search, page by page; throws where one is not older than the one before. */
async function search({ search }: Catalog, { at: snapshot, ...query }: Question, { indexOf }: Scanned): Promise<Tally> {
  const tally: Tally = { hits: 0, sum: 0 };
  let last = Number.POSITIVE_INFINITY;
  for (let after: number | undefined, more = true; more;) {
    const page = await search.find(query, { limit: PAGE, snapshot, after });
    for (const { row } of page.hits) {
      const index = indexOf(row.key);
      if (index >= last) throw new Error(`${JSON.stringify(query)}: ${index} comes after ${last}`);
      last = index;
      add(tally, index);
    }
    ({ more } = page);
    after = page.hits.at(-1)?.place;
  }
  return tally;
}

/** How many hits there are in all, and the questions that the index answers otherwise than a plain scan. */
export async function compareWithScan(catalog: Catalog, questions: readonly Question[], scanned: Scanned): Promise<{ hits: number; differing: string[] }> {
  const expected = scan(questions, scanned);
  const differing: string[] = [];
  let hits = 0;
  for (const [i, question] of questions.entries()) {
    const found = await search(catalog, question, scanned);
    hits += found.hits;
    if (found.hits !== expected[i]?.hits || found.sum !== expected[i]?.sum) {
      differing.push(`${JSON.stringify(question)}: ${found.hits} instead of ${expected[i]?.hits}`);
    }
  }
  return { hits, differing };
}
