import { createORPCClient, ORPCError } from '@orpc/client';
import type { ContractRouterClient } from '@orpc/contract';
import type { JsonifiedClient } from '@orpc/openapi-client';
import { OpenAPILink } from '@orpc/openapi-client/fetch';
import { contract } from './contract.ts';
import { Problem } from './schemas.ts';

/** The API as functions, with the types of the contract. */
export type ApiClient = JsonifiedClient<ContractRouterClient<typeof contract>>;

/** A typed client of the API at `url`. `headers` go with each call. A refusal is an ORPCError whose data is the {@link Problem}. */
export function openClient(url: string, headers: () => Record<string, string> = () => ({})): ApiClient {
  const link = new OpenAPILink(contract, {
    url, headers, fetch: fetchProblems,
    customErrorResponseBodyDecoder: (body, { status }) => {
      const problem = Problem.safeParse(body);
      return problem.success ? new ORPCError(problem.data.code, { status, message: problem.data.detail, data: problem.data }) : undefined;
    },
  });
  return createORPCClient(link);
}

/** The link reads JSON of one type alone. */
async function fetchProblems(request: Request, init: RequestInit): Promise<Response> {
  const response = await fetch(request, init);
  if (response.headers.get('content-type') !== 'application/problem+json') return response;
  const headers = new Headers(response.headers);
  headers.set('content-type', 'application/json');
  return new Response(response.body, { status: response.status, headers });
}
