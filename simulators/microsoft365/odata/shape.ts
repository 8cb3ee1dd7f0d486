import { badRequest } from '../server/graphFailure.ts';
import type { Properties } from './list.ts';
import type { Expansion, ODataQuery } from './query.ts';
import { checkProperties } from './typeProperties.ts';
import type { TypeName } from './typeProperties.ts';

/** How documents of a type are reduced and expanded. */
export interface ShapeRules {
  readonly type: TypeName;
  /** Shown by $select alone. */
  readonly hidden?: readonly string[];
  /** Shown where there is no $select; undefined: all but the hidden ones. */
  readonly usual?: readonly string[];
  readonly expand?: Readonly<Record<string, (expansion: Expansion) => unknown>>;
}

/** Applies $select and $expand. Annotations and the id always stay. */
export function shape(rules: ShapeRules, document: Properties, query: Pick<ODataQuery, 'select' | 'expand'>): Properties {
  checkProperties(rules.type, query.select ?? []);
  const shaped = selected(rules, document, query.select);
  for (const expansion of query.expand) {
    const make = rules.expand?.[expansion.name];
    if (make === undefined) throw badRequest(`Could not find a navigation property named '${expansion.name}' on type 'microsoft.graph.${rules.type}'.`);
    const value = make(expansion);
    if (value !== undefined) shaped[expansion.name] = value;
  }
  return shaped;
}

function selected(rules: ShapeRules, document: Properties, select: readonly string[] | undefined): Properties {
  const wanted = select === undefined || select.includes('*') ? rules.usual : select;
  const names = wanted === undefined ? undefined : new Set(wanted.map((name) => firstPart(name, '/')));
  const isShown = (name: string): boolean => (names === undefined ? rules.hidden?.includes(name) !== true : names.has(firstPart(name, '@')));
  return Object.fromEntries(Object.entries(document).filter(([name]) => name.startsWith('@') || name === 'id' || isShown(name)));
}

function firstPart(name: string, sign: string): string {
  return (name.split(sign)[0] ?? '').toLowerCase();
}

/** Applies the options that stand in an expansion's parentheses to a list. */
export function expandedList(documents: readonly Properties[], expansion: Expansion): Properties[] {
  const matching = expansion.filter === undefined ? documents : documents.filter((document) => expansion.filter?.test(document));
  const names = expansion.select === undefined ? undefined : new Set(expansion.select.map((name) => name.toLowerCase()));
  const selected = names === undefined ? matching : matching.map((document) => Object.fromEntries(
    Object.entries(document).filter(([name]) => name.startsWith('@') || name === 'id' || names.has(name.toLowerCase())),
  ));
  return selected.slice(0, expansion.top);
}
