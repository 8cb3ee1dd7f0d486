import * as fc from 'fast-check';

/** The words of JSON Schema that the document uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly not?: object;
}

const WORDS = new Set(['type', 'properties', 'required', 'additionalProperties', 'propertyNames', 'items', 'minItems', 'maxItems', 'enum', 'const', 'anyOf', 'oneOf', 'minLength', 'maxLength', 'pattern', 'format', 'minimum', 'maximum']);
const NOTES = new Set(['description', 'title', 'examples', 'default']);
const MOST_ITEMS = 4;
const MOST_NUMBER = 2e9;

/** Values of the schema. Throws on a word that it does not know: what a new route uses must not be passed by. */
export function valuesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  for (const word of Object.keys(schema)) if (!WORDS.has(word) && !NOTES.has(word)) throw new Error(`the fuzzer does not know the word "${word}" of JSON Schema: teach it (tests/apiFuzz/jsonSchema.ts)`);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(valuesOf));
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map(valuesOf));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.type === undefined) return fc.jsonValue();
  const values = TYPES[schema.type];
  if (values === undefined) throw new Error(`the fuzzer does not know the type "${schema.type}"`);
  return values(schema);
}

const TYPES: Readonly<Record<string, (schema: JsonSchema) => fc.Arbitrary<unknown>>> = {
  object: objects,
  array: ({ items = {}, minItems = 0, maxItems = MOST_ITEMS }) => fc.array(valuesOf(items), { minLength: minItems, maxLength: Math.min(maxItems, MOST_ITEMS) }),
  string: strings,
  integer: ({ minimum = -MOST_NUMBER, maximum = MOST_NUMBER }) => fc.integer({ min: Math.max(minimum, -MOST_NUMBER), max: Math.min(maximum, MOST_NUMBER) }),
  number: ({ minimum = -MOST_NUMBER, maximum = MOST_NUMBER }) => fc.double({ min: minimum, max: maximum, noNaN: true }),
  boolean: () => fc.boolean(),
  null: () => fc.constant(null),
};

function objects({ properties = {}, required = [], propertyNames, additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  if (propertyNames?.type === 'string' && typeof additionalProperties === 'object') return fc.dictionary(strings(propertyNames), valuesOf(additionalProperties), { maxKeys: MOST_ITEMS });
  // "not" with nothing in it stands for what cannot be given.
  const possible = Object.entries(properties).filter(([, schema]) => schema.not === undefined);
  return fc.record(Object.fromEntries(possible.map(([name, schema]) => [name, valuesOf(schema)])), { requiredKeys: required.filter((name) => name in properties) });
}

function strings({ minLength = 0, maxLength = 60, pattern, format }: JsonSchema): fc.Arbitrary<string> {
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(text));
  if (format === 'email') return fc.emailAddress().map((text) => text.replaceAll(/[^\w.@-]/g, 'x')).filter(fits);
  if (format === 'date-time') return fc.date({ min: new Date(0), max: new Date('9000-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
  if (format !== undefined) throw new Error(`the fuzzer does not know the format "${format}": teach it (tests/apiFuzz/jsonSchema.ts)`);
  const size = { minLength, maxLength: Math.min(maxLength, Math.max(minLength, 60)) };
  if (pattern === undefined) return fc.oneof(fc.string({ ...size }), fc.string({ ...size, unit: 'binary' })).map((text) => text.slice(0, maxLength)).filter(fits);
  // Classes of Unicode are more than the generator of patterns knows.
  if (pattern.includes(String.raw`\p`)) return fc.string({ ...size, minLength: Math.max(minLength, 1), unit: 'grapheme' }).filter(fits);
  return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, maxLength)).filter(fits);
}
