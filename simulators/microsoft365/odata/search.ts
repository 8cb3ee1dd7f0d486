import { badRequest } from '../server/graphFailure.ts';
import type { Predicate } from './filter.ts';

/**
 * A $search over directory objects: clauses "property:text" joined by AND and OR, from left to right. A clause is true where a word of the
 * property begins with the text.
 */
export function parseSearch(text: string): Predicate {
  const parts = text.trim().match(/"[^"]*"|AND|OR|\S+/g) ?? [];
  let test: Predicate | undefined;
  for (let at = 0; at < parts.length; at += 2) {
    const [, property, wanted] = /^"([A-Za-z]+):(.+)"$/.exec(parts[at] ?? '') ?? [];
    if (property === undefined || wanted === undefined) throw badRequest(`Syntax error in $search: '${text}'. A clause is "property:text".`);
    const clause: Predicate = (item) => wordsOf(item[property]).some((word) => word.startsWith(wanted.toLowerCase()));
    const [before, joint] = [test, parts[at - 1]];
    if (before === undefined) test = clause;
    else if (joint === 'OR') test = (item) => before(item) || clause(item);
    else if (joint === 'AND') test = (item) => before(item) && clause(item);
    else throw badRequest(`Syntax error in $search: '${text}'. Clauses are joined by AND or OR.`);
  }
  if (test === undefined) throw badRequest('$search is empty.');
  return test;
}

function wordsOf(value: unknown): string[] {
  return typeof value === 'string' ? [value, ...value.split(/[^\p{L}\p{N}]+/u)].map((word) => word.toLowerCase()) : [];
}
