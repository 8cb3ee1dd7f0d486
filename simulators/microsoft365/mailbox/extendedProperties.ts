import { badRequest } from '../server/graphFailure.ts';
import type { Expansion } from '../odata/query.ts';
import type { Properties } from '../odata/list.ts';
import type { ExtendedProperty, Item } from './item.ts';

const TYPES = 'ApplicationTime|ApplicationTimeArray|Binary|BinaryArray|Boolean|CLSID|CLSIDArray|Currency|CurrencyArray|Double|DoubleArray|Float|FloatArray|Integer|IntegerArray|Long|LongArray|Short|ShortArray|String|StringArray|SystemTime|SystemTimeArray';
const GUID = '\\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\}?';
/** Fact 46. */
const GRAMMAR = new RegExp(`^(${TYPES}) (?:0x([0-9a-fA-F]{1,8})|${GUID} (?:Name .+|Id 0x[0-9a-fA-F]{1,8}))$`);

/** The id in the one form that comparisons use: type and tag in a fixed case, without leading zeros. */
export function normalId(id: string): string {
  const match = GRAMMAR.exec(id);
  if (match === null) throw badRequest(`The property id '${id}' is malformed.`, 'ErrorInvalidPropertyForOperation');
  const [, type, tag] = match;
  if (tag === undefined) return id.replace(/[{}]/g, '');
  const number = Number.parseInt(tag, 16);
  if (number >= 0x8000) throw badRequest('Property ids of 0x8000 and above need a property set.', 'ErrorInvalidPropertyForOperation');
  return `${type} 0x${number.toString(16)}`;
}

/** The extended properties of a body, checked; an empty list where it has none. */
export function readExtended(body: Properties): ExtendedProperty[] {
  const read = (name: string, isValue: (value: unknown) => boolean): ExtendedProperty[] => {
    const given = body[name] ?? [];
    if (!Array.isArray(given)) throw badRequest(`${name} is a list.`);
    return given.map((entry: Properties) => {
      if (typeof entry['id'] !== 'string' || !isValue(entry['value'])) throw badRequest(`An entry of ${name} needs an id and a value.`);
      return { id: normalId(entry['id']), value: entry['value'] as string | string[] };
    });
  };
  return [
    ...read('singleValueExtendedProperties', (value) => typeof value === 'string'),
    ...read('multiValueExtendedProperties', (value) => Array.isArray(value) && value.every((part) => typeof part === 'string')),
  ];
}

/** Later values win. */
export function mergeExtended(before: readonly ExtendedProperty[], after: readonly ExtendedProperty[]): ExtendedProperty[] {
  const merged = new Map([...before, ...after].map((property) => [property.id.toLowerCase(), property]));
  return [...merged.values()];
}

/**
 * What $expand of the extended properties shows: those that the filter names by id; without a filter the service refuses. Ids are matched by
 * what they mean: '0x0E07' and '0xe07' are one.
 */
export function expandExtended(item: Pick<Item, 'extended'>, derived: readonly ExtendedProperty[], expansion: Expansion): Properties[] | undefined {
  if (expansion.filterText === undefined) throw badRequest('Expanding extended properties needs a $filter on id.');
  const wanted = [...expansion.filterText.matchAll(/id eq '((?:[^']|'')*)'/g)].map(([, id = '']) => id.replaceAll("''", "'"));
  if (wanted.length === 0) throw badRequest('Expanding extended properties needs a $filter on id.');
  const multi = expansion.name.startsWith('multi');
  const known = mergeExtended(derived, item.extended).filter(({ value }) => Array.isArray(value) === multi);
  const shown = wanted.flatMap((id) => {
    const found = known.find((property) => property.id.toLowerCase() === normalId(id).toLowerCase());
    return found === undefined ? [] : [{ id, value: found.value }];
  });
  return shown.length === 0 ? undefined : shown;
}
