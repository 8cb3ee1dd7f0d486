import type { GraphClient, GraphOptions } from './graphClient.ts';
import { oddAnswer } from './graphErrors.ts';

export type Entry = Readonly<Record<string, unknown>>;

/** The entries of a page of a list. */
export function entriesOf(document: Readonly<Record<string, unknown>>): readonly Entry[] {
  const { value } = document;
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'object' && entry !== null)) throw oddAnswer('a list');
  return value as Entry[];
}

/** A link of a document; undefined where it has none. */
export function linkOf(document: Readonly<Record<string, unknown>>, name: '@odata.nextLink' | '@odata.deltaLink'): string | undefined {
  const link = document[name];
  if (link !== undefined && typeof link !== 'string') throw oddAnswer(`a sound ${name}`);
  return link;
}

/** All pages of a list, one after the other. */
export async function* pages(client: GraphClient, path: string, options: GraphOptions): AsyncGenerator<readonly Entry[]> {
  let next: string | undefined = path;
  while (next !== undefined) {
    const document: Readonly<Record<string, unknown>> = await client.get(next, options);
    yield entriesOf(document);
    const link = linkOf(document, '@odata.nextLink');
    if (link === next) throw oddAnswer('an end of its list');
    next = link;
  }
}

/** A text of an entry; '' where it is missing or none. */
export function textOf(entry: Entry, name: string): string {
  const value = entry[name];
  return typeof value === 'string' ? value : '';
}

/** The id of an entry, fit for a key. */
export function idOf(entry: Entry): string {
  const id = textOf(entry, 'id');
  if (!/^[\x21-\x7e]{1,2000}$/.test(id)) throw oddAnswer('an id');
  return id;
}

export function isRemoved(entry: Entry): boolean {
  return '@removed' in entry;
}
