import { createHash } from 'node:crypto';
import type { BinaryString } from '../../../../domain/index.ts';
import type { GraphClient, GraphOptions } from '../../graph/graphClient.ts';
import { oddAnswer } from '../../graph/graphErrors.ts';
import { entriesOf, pages, type Entry } from '../../graph/pages.ts';

/** Annotations that say by which request an answer came, not what was there. */
const NOT_KEPT = /@odata\.(context|associationLink|navigationLink)$/;
const NEXT = '@odata.nextLink';

/**
 * JSON of a document of the service, always the same text for the same values: names in order, nothing left out but what names the request. So equal documents
 * are equal bytes, and everything that the service tells is there for a restore.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(ordered(value));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const names = Object.keys(value).filter((name) => !NOT_KEPT.test(name)).sort();
  return Object.fromEntries(names.map((name) => [name, ordered((value as Record<string, unknown>)[name])]));
}

/** The change key of a row: differs when one of the values does. */
export function changeOf(...values: readonly unknown[]): BinaryString {
  return createHash('sha256').update(canonicalJson(values)).digest().subarray(0, 16).toString('latin1');
}

/** A document whose expanded lists are whole: where the service gives a list in part it adds a link to the rest. */
export async function readDocument(graph: GraphClient, path: string, options: GraphOptions): Promise<Entry> {
  const document = { ...await graph.get(path, options) };
  for (const name of Object.keys(document).filter((one) => one.endsWith(NEXT) && one !== NEXT)) {
    const link = document[name];
    const list = name.slice(0, -NEXT.length);
    if (typeof link !== 'string') throw oddAnswer(`a sound ${name}`);
    const entries = [...entriesOf({ value: document[list] })];
    for await (const more of pages(graph, link, options)) entries.push(...more);
    document[list] = entries;
    delete document[name];
  }
  return document;
}

/** The value of a property that may be missing, as a list of objects. */
export function listOf(document: Entry, name: string): readonly Entry[] {
  const value = document[name];
  return Array.isArray(value) ? value.filter((entry): entry is Entry => typeof entry === 'object' && entry !== null) : [];
}

/** A property that is an object; empty where it is none. */
export function objectOf(document: Entry, name: string): Entry {
  const value = document[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Entry : {};
}

/** Milliseconds since 1970 of a time that the service tells; null where it tells none. Times without an offset are UTC: no other zone is asked for. */
export function timeOf(text: string): number | null {
  const time = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(time) ? null : time;
}

/** `$expand` of extended properties: Outlook gives those alone that are named. */
export function expandExtended(ids: readonly string[]): string {
  return `singleValueExtendedProperties($filter=${ids.map((id) => `id eq '${id}'`).join(' or ')})`;
}
