import { OpenAPIGenerator } from '@orpc/openapi';
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4';
import type { Access } from '../domain/index.ts';
import { allRoutes, namedSchemas } from './contract/index.ts';
import { API_ROUTES } from './routeTable.ts';

type Document = Awaited<ReturnType<OpenAPIGenerator['generate']>>;

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
  for (const { method, path, access } of API_ROUTES) {
    const operation = document.paths?.[path]?.[method.toLowerCase() as 'get'];
    if (operation === undefined || access === undefined) continue;
    Object.assign(operation, securityOf(access), { 'x-access': access });
    operation.responses = {
      ...operation.responses,
      default: { description: 'A refusal, in words', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    };
  }
  return document;
}

function securityOf(access: Access): { security: Record<string, string[]>[] } {
  if (access.who === 'anyone') return { security: [] };
  const session = { session: [] };
  const token = { token: access.who === 'permitted' ? [access.permission] : [] };
  if (access.who === 'operator') return { security: access.local === true ? [] : [{ token: [] }] };
  const inPerson = (access.who === 'user' || access.who === 'owner') && access.session === true;
  return { security: inPerson ? [session] : [session, token] };
}
