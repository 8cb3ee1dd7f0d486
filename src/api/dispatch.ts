import { HoldfastError } from '../domain/index.ts';
import { admit } from './admit.ts';
import type { ApiServices, CallContext } from './apiServices.ts';
import { callerOf } from './implementer.ts';
import { onlyOnce } from './onlyOnce.ts';
import { plainHandlers } from './plain/plainHandlers.ts';
import { RateLimit } from './rateLimit.ts';
import { addressOf, checkOrigin, checkType, isOperator } from './requestChecks.ts';
import type { ApiRoute } from './routeTable.ts';
import { serveTyped } from './serveTyped.ts';

/** A request whose body was read, and whom it came from. */
export interface Incoming {
  readonly request: Request;
  readonly hasBody: boolean;
  readonly peer: string;
  /** Aborted when the caller is gone. That of the request is not enough: it falls silent once nobody holds the request any more. */
  readonly gone: AbortSignal;
}

/** `others`: methods that the path has, where it has no such route. `told`: headers of the answer, also of a refusal. */
export type Dispatch = (incoming: Incoming, route: ApiRoute | undefined, others: readonly string[], told: Headers) => Promise<Response>;

const CALLS_A_MINUTE = 1_200;
const MINUTE_MS = 60_000;
const PLAIN = 'plain.';

/** Checks what all requests have to keep to, finds out who calls, and hands over to the route. Errors: `api/…`. */
export function dispatcher(services: ApiServices, proxies: ReadonlySet<string>): Dispatch {
  const limit = new RateLimit(services.accounts.clock, CALLS_A_MINUTE, MINUTE_MS);
  return async ({ request, hasBody, peer, gone }, route, others, told) => {
    const address = addressOf(peer, request.headers.get('x-forwarded-for'), proxies);
    const bearer = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    told.set('ratelimit-policy', `"address";q=${CALLS_A_MINUTE};w=${MINUTE_MS / 1000}`);
    const { left, resetMs } = limit.left(address);
    told.set('ratelimit', `"address";r=${Math.max(left - 1, 0)};t=${Math.ceil(resetMs / 1000)}`);
    limit.count(address);
    if (route === undefined) throw noRoute(request.method, others);
    checkType(request, hasBody);
    const cookie = request.headers.get('cookie') ?? undefined;
    checkOrigin(request, services.publicUrl, cookie !== undefined && bearer === undefined);
    const forUsers = route.access?.who !== 'anyone' && route.access?.who !== 'operator';
    const principal = forUsers ? await services.signIn.principal({ cookie, bearer }) : undefined;
    const operator = route.access?.who === 'operator' && isOperator(request, peer, bearer, route.access.local === true ? undefined : services.metricsToken);
    const context: CallContext = {
      services, principal, operator, cookie, gone, answer: new Headers(), origin: { address, agent: request.headers.get('user-agent') ?? undefined },
    };
    admit(route.access, context);
    if (!route.name.startsWith(PLAIN)) return onlyOnce(request, context, (asked) => serveTyped(asked, context));
    const handler = plainHandlers[route.name.slice(PLAIN.length) as keyof typeof plainHandlers];
    return handler({ request, url: new URL(request.url), context, caller: () => callerOf(context) });
  };
}

function noRoute(method: string, others: readonly string[]): HoldfastError {
  if (others.length === 0) return new HoldfastError('api/not-found', 'input', 'There is nothing at this address. The API\'s document lists what there is: /api/v1/openapi.json');
  return new HoldfastError('api/wrong-method', 'input', `This address does not take ${method.slice(0, 20)}. It takes ${others.join(', ')}.`);
}
