import * as fc from 'fast-check';
import type { Operation } from './apiDocument.ts';
import { valuesOf, type JsonSchema } from './jsonSchema.ts';

/** A request of the fuzzer. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Ids that there are, by the route's path: so that requests come further than "not found". */
export type KnownIds = (path: string) => readonly string[];

const ODD_TEXTS = [
  '', ' ', '\0', '\u{1f600}', '\ud800', '‮abc', "'; drop table users; --", '{{7*7}}', '${x}', '../../etc/passwd', '%00', '%ff', '%', 'null', '__proto__', 'a'.repeat(5_000), 'NaN', '-1', '1e999', '<script>', '\r\nx: y', '∞',
];
const ODD_VALUES: readonly unknown[] = [...ODD_TEXTS, null, true, 0, -0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER + 1, [], {}, [[[]]], Object.fromEntries([['__proto__', { role: 'owner' }]]), { constructor: {} }, Array(300).fill(0)];
const ODD_BODIES = ['', '{', '[]', 'null', '"text"', '0', '{"a":1,}', '{"a":1}{', '\u{feff}{}', '\0', '[' .repeat(2_000), '{"__proto__":{"a":1}}'];
const ODD_TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16', 'application/xml', '*/*', 'application/problem+json'];

/** Requests to the operation: what its document allows, the same with one thing wrong, and anything. */
export function requestsOf(operation: Operation, known: KnownIds): fc.Arbitrary<FuzzRequest> {
  const body = operation.requestBody?.content['application/json']?.schema;
  const valid = partsOf(operation, known);
  const nearly = fc.tuple(valid, fc.constantFrom('path', 'query', 'body', 'type'), fc.constantFrom(...ODD_VALUES), fc.nat(), fc.constantFrom(...ODD_TYPES)).map(spoil);
  const wild = fc.tuple(valid, fc.oneof(fc.jsonValue().map((value) => JSON.stringify(value)), fc.constantFrom(...ODD_BODIES)), fc.string({ unit: 'binary' })).map(([parts, text, query]): Parts => ({
    ...parts, ...(body !== undefined && { text }), raw: `?${encode(query)}=${encode(query)}&${encode(query)}`,
  }));
  return fc.oneof({ weight: 3, arbitrary: valid }, { weight: 4, arbitrary: nearly }, { weight: 2, arbitrary: wild }).map((parts) => requestOf(operation, parts));
}

interface Parts {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** In place of the body. */
  readonly text?: string;
  /** In place of the query. */
  readonly raw?: string;
  readonly type?: string;
}

function partsOf(operation: Operation, known: KnownIds): fc.Arbitrary<Parts> {
  const of = (place: 'path' | 'query' | 'header') => (operation.parameters ?? []).filter((parameter) => parameter.in === place);
  const ids = known(operation.path);
  const pathValue = (schema: JsonSchema): fc.Arbitrary<unknown> => (ids.length === 0 ? valuesOf(schema) : fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: valuesOf(schema) }));
  const body = operation.requestBody?.content['application/json']?.schema;
  const query = of('query');
  return fc.record({
    path: fc.record(Object.fromEntries(of('path').map(({ name, schema }) => [name, pathValue(schema)]))),
    query: fc.record(Object.fromEntries(query.map(({ name, schema }) => [name, valuesOf(schema)])), { requiredKeys: query.filter(({ required }) => required === true).map(({ name }) => name) }),
    headers: fc.record(Object.fromEntries(of('header').map(({ name, schema }) => [name, valuesOf(schema)])), { requiredKeys: [] }),
    body: body === undefined ? fc.constant(undefined) : valuesOf(body),
  });
}

/** One thing of it is another one. */
function spoil([parts, place, odd, at, type]: [Parts, string, unknown, number, string]): Parts {
  const replaced = (values: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const names = Object.keys(values);
    const name = names[at % Math.max(names.length, 1)];
    return name === undefined ? { odd } : at % 3 === 0 ? Object.fromEntries(Object.entries(values).filter(([key]) => key !== name)) : { ...values, [name]: odd };
  };
  if (place === 'type') return { ...parts, type };
  if (place === 'path') return { ...parts, path: Object.keys(parts.path).length === 0 ? {} : replaced(parts.path) };
  if (place === 'query') return { ...parts, query: replaced(parts.query) };
  return { ...parts, body: typeof parts.body === 'object' && parts.body !== null && !Array.isArray(parts.body) ? replaced(parts.body as Record<string, unknown>) : parts.body };
}

function requestOf({ method, path }: Operation, parts: Parts): FuzzRequest {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(textOf(parts.path[name])) || 'x');
  const query = Object.entries(parts.query).map(([name, value]) => `${encode(name)}=${encode(textOf(value))}`).join('&');
  const text = parts.text ?? (parts.body === undefined ? undefined : JSON.stringify(parts.body));
  return { method, path: filled + (parts.raw ?? (query === '' ? '' : `?${query}`)), body: text, headers: { ...headersOf(parts.headers), ...(parts.type !== undefined && { 'content-type': parts.type }) } };
}

function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value) ?? '';
}

/** Bytes that are written as such stay what they are. */
function encode(text: string): string {
  return /^%[0-9a-f]{2}$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}
