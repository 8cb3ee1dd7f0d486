import { messageOf } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import type { ApiServices } from './apiServices.ts';
import { dispatcher, type Incoming } from './dispatch.ts';
import { refusalOf } from './problem.ts';
import { findRoute } from './routeTable.ts';

/** Answers a request, and never rejects. */
export type Serve = (incoming: Incoming) => Promise<Response>;

const UNKNOWN_ROUTE = 'none';
/** Methods that a label may have: others could be anything. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Answers every request, with a refusal in words at worst. `proxies`: addresses whose X-Forwarded-For counts. */
export function serveApi(services: ApiServices, proxies: ReadonlySet<string>): Serve {
  const { accounts: { clock, random }, metrics, log, publicUrl } = services;
  const dispatch = dispatcher(services, proxies);
  return async (incoming) => {
    const { request } = incoming;
    const started = clock.monotonic();
    const requestId = timeOrderedId(clock.now(), random);
    const { route, others } = findRoute(request.method, new URL(request.url).pathname);
    const name = route?.name ?? UNKNOWN_ROUTE;
    const method = METHODS.has(request.method) ? request.method : 'other';
    let response: Response;
    const told = new Headers();
    try {
      response = await dispatch(incoming, route, others, told);
    } catch (error) {
      const { problem, headers, fault } = refusalOf(error, requestId);
      metrics.refused(problem.code);
      if (fault) log.error('request failed', { requestId, route: name, error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
      response = Response.json(problem, { status: problem.status, headers: { ...headers, 'content-type': 'application/problem+json' } });
    }
    const seconds = (clock.monotonic() - started) / 1000;
    metrics.answered(method, name, response.status, seconds);
    log.info('request', { requestId, method, route: name, status: response.status, milliseconds: Math.round(seconds * 1000) });
    for (const [header, value] of told) response.headers.set(header, value);
    return decorate(response, publicUrl, requestId);
  };
}

/** No page of ours is in a frame, loads from elsewhere, or tells others where one comes from. */
function decorate(response: Response, publicUrl: string, requestId: string): Response {
  const { headers } = response;
  const set = {
    'x-request-id': requestId, 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=()',
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000' }),
  };
  for (const [name, value] of Object.entries(set)) headers.set(name, value);
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  return response;
}
