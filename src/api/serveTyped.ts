import { OpenAPIHandler } from '@orpc/openapi/fetch';
import { ORPCError, ValidationError } from '@orpc/server';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { CallContext } from './apiServices.ts';
import { InvalidInput } from './problem.ts';
import { router } from './router.ts';

const KEEP_ALIVE_MS = 15_000;

interface Failure {
  error?: unknown;
  /** The input could be read: what fails afterwards is not the caller's. */
  called?: boolean;
}

/** Why calls failed, by their context: the library turns an error into an answer of its own form, which is thrown away. */
const failures = new WeakMap<CallContext, Failure>();

const handler = new OpenAPIHandler(router, {
  eventIteratorKeepAliveInterval: KEEP_ALIVE_MS,
  interceptors: [async ({ next, context }) => {
    try {
      return await next();
    } catch (error) {
      const failure = failures.get(context);
      if (failure !== undefined) failure.error = error;
      throw error;
    }
  }],
  clientInterceptors: [({ next, context }) => {
    const failure = failures.get(context);
    if (failure !== undefined) failure.called = true;
    return next();
  }],
});

/** Serves a route of the typed contract. What the route throws is thrown here. */
export async function serveTyped(request: Request, context: CallContext): Promise<Response> {
  const failure: Failure = {};
  failures.set(context, failure);
  // The answer's body is left out where it is sent.
  const asked = request.method === 'HEAD' ? new Request(request, { method: 'GET' }) : request;
  const { matched, response } = await handler.handle(asked, { context });
  if ('error' in failure) throw plainError(failure);
  if (!matched) throw new HoldfastError('api/not-found', 'input', 'There is nothing at this address.');
  for (const cookie of context.answer.getSetCookie()) response.headers.append('set-cookie', cookie);
  return response;
}

function plainError({ error, called = false }: Failure): unknown {
  if (!called) return new InvalidInput([{ path: '', message: 'the body is no JSON' }]);
  if (isHoldfastError(error) || !(error instanceof ORPCError)) return error;
  if (error.cause instanceof ValidationError && error.status === 400) {
    return new InvalidInput(error.cause.issues.map(({ path = [], message }) => ({ path: path.map(segment).join('.'), message })));
  }
  return error;
}

function segment(part: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof part === 'object' ? part.key : part);
}
