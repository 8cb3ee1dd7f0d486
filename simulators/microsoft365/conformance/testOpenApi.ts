import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOOSE_TYPES, UNDECLARED_PROPERTIES } from './deviations.ts';

/** The published document lies beside the checkout where it is worked on, and is no part of it. */
const PACK = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'reference', 'graph');
const DOCUMENT = join(PACK, 'openapi.json');
export const EXAMPLES = join(PACK, 'examples.jsonl');
export const IS_AVAILABLE = existsSync(DOCUMENT);
export const NOT_AVAILABLE = `the OpenAPI document of the service is not there (${DOCUMENT})`;

interface Operation {
  readonly 'x-ms-permissions'?: { readonly Application?: { readonly allowed: readonly string[] } };
  readonly parameters?: readonly { readonly $ref?: string; readonly name?: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly required?: readonly string[];
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** A request of a test with its answer. */
export interface Exchange {
  readonly method: string;
  /** Pattern of the route that answered. */
  readonly route: string;
  readonly url: string;
  readonly requestType: string | undefined;
  readonly requestBody: unknown;
  readonly status: number;
  readonly json: unknown;
}

let loaded: OpenApi | undefined;

export function openApi(): OpenApi {
  loaded ??= JSON.parse(readFileSync(DOCUMENT, 'utf8')) as OpenApi;
  return loaded;
}

export function operationOf(method: string, path: string): Operation | undefined {
  return openApi().paths[path]?.[method.toLowerCase()];
}

/** What is wrong with a request and its answer by the document; an empty list where nothing is. */
export function findBreaches({ method, route, url, requestType, requestBody, status, json }: Exchange): string[] {
  const operation = operationOf(method, route);
  if (operation === undefined) return [];
  if (status >= 400) return judge({ $ref: '#/components/schemas/microsoft.graph.ODataErrors.ODataError' }, json, 'error');
  const request = requestType?.includes('json') === true ? operation.requestBody?.content['application/json']?.schema : undefined;
  const response = operation.responses[String(status)] ?? operation.responses['2XX'];
  const answer = response?.content?.['application/json']?.schema;
  return [
    ...undeclaredOptions(operation, url),
    ...(request === undefined || requestBody === undefined ? [] : judge(request, inOwnCase(request, requestBody), 'request')),
    ...(answer === undefined || json === undefined ? [] : judge(answer, json, 'answer')),
  ];
}

function undeclaredOptions(operation: Operation, url: string): string[] {
  const plain = (name: string): string => name.replace(/^\$/, '').replace(/\*$/, '').toLowerCase();
  const known = new Set((operation.parameters ?? []).map(({ $ref, name }) => plain(name ?? $ref?.split('/').at(-1) ?? '')));
  return [...new URL(url).searchParams.keys()].filter((name) => !known.has(plain(name)) && !['skiptoken', 'deltatoken'].includes(plain(name)))
    .map((name) => `the query option ${name} is not the document's`);
}

/**
 * Walks a value by its schema, and follows only what the value has: a validator that compiles the schema first would compile nearly all of the
 * document, which takes minutes. Properties that the schema does not have are found, too: it allows any, so that nothing else would.
 */
function judge(schema: Schema, value: unknown, where: string): string[] {
  if (value === null) return isNullable(schema) ? [] : [`${where} is null`];
  const { schema: resolved, name } = resolve(schema, typeof value === 'object' ? value as Record<string, unknown> : {});
  if (resolved.enum !== undefined && !resolved.enum.includes(value)) return [`${where}: '${JSON.stringify(value)}' is none of ${JSON.stringify(resolved.enum)}`];
  if (resolved.type !== undefined && !isOfType(value, resolved.type)) return [`${where} is no ${resolved.type}`];
  if (resolved.format === 'date-time' && (typeof value !== 'string' || Number.isNaN(Date.parse(value)))) return [`${where} is no time`];
  if (Array.isArray(value)) return value.flatMap((entry, place) => judge(resolved.items ?? {}, entry, `${where}[${place}]`));
  return typeof value === 'object' ? judgeObject(resolved, name, value as Record<string, unknown>, where) : [];
}

function judgeObject(schema: Schema, name: string, value: Record<string, unknown>, where: string): string[] {
  const missing = (schema.required ?? []).filter((property) => !(property in value)).map((property) => `${where} lacks ${property}`);
  const properties = propertiesOf(schema);
  if (properties.size === 0 || LOOSE_TYPES[name] !== undefined) return missing;
  return [...missing, ...Object.entries(value).flatMap(([property, inner]) => {
    if (property.includes('@')) return [];
    const found = [...properties].find(([other]) => other.toLowerCase() === property.toLowerCase())?.[1];
    if (found !== undefined) return judge(found, inner, `${where}.${property}`);
    return UNDECLARED_PROPERTIES[`${name} ${property}`] === undefined ? [`${where}: ${name} has no property ${property}`] : [];
  })];
}

function isNullable(schema: Schema): boolean {
  return schema.nullable === true || (schema.anyOf ?? []).some(isNullable) || (schema.$ref === undefined && schema.type === undefined && schema.anyOf === undefined);
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'object' ? typeof value === 'object' && !Array.isArray(value) : typeof value === type;
}

/** Enumerations of requests may come in any case. */
function inOwnCase(schema: Schema, value: unknown): unknown {
  const { schema: resolved } = resolve(schema, typeof value === 'object' && value !== null ? value as Record<string, unknown> : {});
  if (typeof value === 'string') return resolved.enum?.find((member) => typeof member === 'string' && member.toLowerCase() === value.toLowerCase()) ?? value;
  if (Array.isArray(value)) return value.map((entry: unknown) => inOwnCase(resolved.items ?? {}, entry));
  if (typeof value !== 'object' || value === null) return value;
  const properties = propertiesOf(resolved);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inOwnCase(properties.get(name) ?? {}, inner)]));
}

/** Follows references, alternatives with null, and the type that the value names itself. */
function resolve(schema: Schema, value: Record<string, unknown>): { schema: Schema; name: string } {
  const { schemas } = openApi().components;
  const first = schema.anyOf?.[0] ?? schema;
  if (first.$ref === undefined) return { schema: first, name: 'it' };
  const own = first.$ref.split('/').at(-1) ?? '';
  const named = typeof value['@odata.type'] === 'string' ? value['@odata.type'].replace(/^#/, '') : own;
  const chosen = schemas[named] === undefined ? own : named;
  return { schema: schemas[chosen] ?? {}, name: chosen };
}

function propertiesOf(schema: Schema): Map<string, Schema> {
  const found = new Map(Object.entries(schema.properties ?? {}));
  for (const part of schema.allOf ?? []) for (const [name, inner] of propertiesOf(resolve(part, {}).schema)) found.set(name, inner);
  return found;
}
