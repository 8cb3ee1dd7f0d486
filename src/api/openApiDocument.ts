import { OpenAPIGenerator } from '@orpc/openapi';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import type { Access } from '../domain/index.ts';
import { allRoutes, namedSchemas, type RouteMeta } from './contract/index.ts';
import { API_ROUTES } from './routeTable.ts';

type Document = Awaited<ReturnType<OpenAPIGenerator['generate']>>;

/** Of every POST by somebody who is known. */
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key', in: 'header' as const, required: false, schema: { type: 'string' as const, minLength: 8, maxLength: 200, pattern: '^[!-~]+$' },
  description: 'The same key with the same request does its work once in a day, and is answered as the first time',
};

let made: Promise<Document> | undefined;

/** The OpenAPI document of every route, plain ones too. */
export async function openApiDocument(publicUrl: string): Promise<Document> {
  made ??= generate();
  return { ...await made, servers: [{ url: publicUrl }] };
}

async function generate(): Promise<Document> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] });
  const document = await generator.generate(allRoutes, {
    info: { title: 'Holdfast', version: '1', description: 'Backups of what organisations keep in cloud services.' },
    commonSchemas: Object.fromEntries(Object.entries(namedSchemas).map(([name, schema]) => [name, { schema, strategy: 'output' as const }])),
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'holdfast.session_token', description: 'Set by signing in. Calls that change something need the Origin of the service too.' },
        token: { type: 'http', scheme: 'bearer', description: 'A token for programs, limited to its scopes' },
      },
    },
  });
  for (const { method, path, access, meta } of API_ROUTES) {
    const operation = document.paths?.[path]?.[method.toLowerCase() as 'get'];
    if (operation === undefined || access === undefined) continue;
    Object.assign(operation, securityOf(access), { 'x-access': access });
    if (method === 'POST' && access.who !== 'anyone') operation.parameters = [...operation.parameters ?? [], IDEMPOTENCY_KEY];
    operation.responses = {
      ...answersOf(operation.responses ?? {}, meta),
      default: { description: 'A refusal, in words', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    };
  }
  return document;
}

type Answers = NonNullable<NonNullable<NonNullable<NonNullable<Document['paths']>[string]>['get']>['responses']>;

/** Answers without a body. */
const EMPTY = new Set(['204', '303', '304']);

/** The generator knows JSON alone, and gives what has no body one that cannot be. */
function answersOf(answers: Answers, { produces, also = {} }: RouteMeta): Answers {
  const typed = Object.entries(answers).map(([status, answer]) => {
    if (EMPTY.has(status)) return [status, { description: 'description' in answer ? answer.description : '' }];
    if (produces === undefined || !('content' in answer) || answer.content === undefined) return [status, answer];
    return [status, { ...answer, content: { [produces]: { schema: { type: 'string' } } } }];
  });
  const others = Object.entries(also).map(([status, description]) => [status, { description, ...(produces !== undefined && !EMPTY.has(status) && { content: { [produces]: { schema: { type: 'string' } } } }) }]);
  return Object.fromEntries([...typed, ...others]) as Answers;
}

function securityOf(access: Access): { security: Record<string, string[]>[] } {
  if (access.who === 'anyone') return { security: [] };
  const session = { session: [] };
  const token = { token: access.who === 'permitted' ? [access.permission] : [] };
  if (access.who === 'operator') return { security: access.local === true ? [] : [{ token: [] }] };
  const inPerson = (access.who === 'user' || access.who === 'owner') && access.session === true;
  return { security: inPerson ? [session] : [session, token] };
}
