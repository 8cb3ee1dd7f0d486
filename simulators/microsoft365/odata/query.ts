import { badRequest } from '../server/graphFailure.ts';
import { parseFilter } from './filter.ts';
import type { Filter } from './filter.ts';

/** One entry of $expand with what stands in its parentheses. */
export interface Expansion {
  readonly name: string;
  readonly filter: Filter | undefined;
  readonly filterText: string | undefined;
  readonly select: readonly string[] | undefined;
  readonly top: number | undefined;
}

/** The query of a request, parsed and checked. Names of system options work with and without '$'. */
export interface ODataQuery {
  readonly select: readonly string[] | undefined;
  readonly expand: readonly Expansion[];
  readonly filter: Filter | undefined;
  readonly filterText: string | undefined;
  readonly orderBy: readonly { readonly property: string; readonly descending: boolean }[];
  readonly top: number | undefined;
  readonly skip: number;
  readonly count: boolean;
  readonly search: string | undefined;
  readonly skipToken: string | undefined;
  readonly deltaToken: string | undefined;
  /** Options that are not OData's own, names in lower case: startdatetime, includehiddenfolders. */
  readonly custom: ReadonlyMap<string, string>;
}

const SYSTEM = new Set(['select', 'expand', 'filter', 'orderby', 'top', 'skip', 'count', 'search', 'skiptoken', 'deltatoken']);

/**
 * Parses the query. `allowed`: the system options that this route takes, `custom`: its own; any other is 400. Next to a skip or delta token no
 * further option may stand (fact 20: a token holds the options of the first call).
 */
export function parseQuery(parameters: URLSearchParams, allowed: readonly string[], custom: readonly string[]): ODataQuery {
  const system = new Map<string, string>();
  const others = new Map<string, string>();
  for (const [rawName, value] of parameters) {
    const name = rawName.replace(/^\$/, '').toLowerCase();
    const known = SYSTEM.has(name);
    const isAllowed = known ? allowed.includes(name) : custom.includes(name);
    if (!isAllowed) throw badRequest(known ? `Query option '$${name}' is not supported for this request.` : `The query parameter '${rawName}' is not known.`);
    const into = known ? system : others;
    if (into.has(name)) throw badRequest(`Query option '${rawName}' was specified more than once, but it must be specified at most once.`);
    into.set(name, value);
  }
  const token = system.get('skiptoken') ?? system.get('deltatoken');
  if (token !== undefined && token !== 'latest' && system.size + others.size > 1) throw badRequest('No other query option may stand next to a token: it holds those of the first call.');
  return readOptions(system, others);
}

function readOptions(system: ReadonlyMap<string, string>, custom: ReadonlyMap<string, string>): ODataQuery {
  const filterText = system.get('filter');
  return {
    select: system.has('select') ? names(system.get('select') ?? '', '$select') : undefined,
    expand: system.has('expand') ? parseExpand(system.get('expand') ?? '') : [],
    filter: filterText === undefined ? undefined : parseFilter(filterText),
    filterText,
    orderBy: system.has('orderby') ? names(system.get('orderby') ?? '', '$orderby').map(readOrder) : [],
    top: number(system.get('top'), '$top'),
    skip: number(system.get('skip'), '$skip') ?? 0,
    count: system.get('count') === 'true',
    search: system.get('search'),
    skipToken: system.get('skiptoken'),
    deltaToken: system.get('deltatoken'),
    custom,
  };
}

function parseExpand(text: string): Expansion[] {
  return splitOutside(text, ',').map((part) => {
    const match = /^([A-Za-z][\w./]*)(?:\((.*)\))?$/s.exec(part.trim());
    const [, name, inner] = match ?? [];
    if (name === undefined) throw badRequest(`Term '${part}' is not valid in a $expand expression.`);
    const options = new Map(splitOutside(inner ?? '', ';').filter((option) => option.trim() !== '').map((option) => {
      const at = option.indexOf('=');
      return [option.slice(0, at).trim().replace(/^\$/, '').toLowerCase(), option.slice(at + 1).trim()];
    }));
    for (const option of options.keys()) if (!['filter', 'select', 'top'].includes(option)) throw badRequest(`'${option}' is not valid inside of $expand.`);
    const filterText = options.get('filter');
    return {
      name,
      filterText,
      filter: filterText === undefined ? undefined : parseFilter(filterText),
      select: options.has('select') ? names(options.get('select') ?? '', '$select') : undefined,
      top: number(options.get('top'), '$top'),
    };
  });
}

/** Splits where the separator stands outside of parentheses and quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === "'") quoted = !quoted;
    else if (!quoted && sign === '(') depth += 1;
    else if (!quoted && sign === ')') depth -= 1;
    else if (!quoted && depth === 0 && sign === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function names(text: string, option: string): string[] {
  const found = text.split(',').map((name) => name.trim());
  if (found.includes('')) throw badRequest(`The ${option} clause has an empty name.`);
  return found;
}

function readOrder(text: string): { property: string; descending: boolean } {
  const [property = '', direction = 'asc'] = text.split(/\s+/);
  if (direction !== 'asc' && direction !== 'desc') throw badRequest(`'${direction}' is no direction of $orderby.`);
  return { property, descending: direction === 'desc' };
}

function number(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value '${text}' for ${option} query option found. The ${option} query option requires a non-negative integer value.`);
  return Number(text);
}

/** Reads options that were checked when they first arrived, and since then lay in a token. */
export function parseStoredQuery(options: Iterable<readonly [string, string]>): ODataQuery {
  const system = new Map<string, string>();
  const custom = new Map<string, string>();
  for (const [rawName, value] of options) {
    const name = rawName.replace(/^\$/, '').toLowerCase();
    (SYSTEM.has(name) ? system : custom).set(name, value);
  }
  return readOptions(system, custom);
}
