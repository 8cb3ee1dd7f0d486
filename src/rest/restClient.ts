import { HoldfastError } from '../domain/index.ts';
import { retry, type Clock, type RandomBytes, type Sleep } from '../runtime/index.ts';
import { httpExchange, type HttpLimits, type HttpReply, type HttpRequest } from './httpExchange.ts';
import type { BudgetUse, RequestBudget } from './requestBudget.ts';
import { retryAfterMs } from './retryAfter.ts';

/** Gives access tokens. They are asked for before each request, and live as long as the source keeps them. */
export interface TokenSource {
  token(signal: AbortSignal): Promise<string>;
  /** The service refused this one: the next call of `token` gives another. */
  refused(token: string): void;
}

/** A request to a service, as the connector says it. */
export interface RestRequest<T> {
  readonly method: string;
  /** Below the base address; or a whole address below it, as a service gives for the next page. With `withoutToken` a whole address of any host. */
  readonly path: string;
  /** The address carries its own right, as those of uploads do: the token must not go there. */
  readonly withoutToken?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** False: done twice it does harm, so it is sent again only where the service refused it unread (429, 503). Default: true, but for POST and PATCH. */
  readonly repeatable?: boolean;
  /** Makes the answer of a success; an error of class `retry` (a body that is cut) has it asked for again. */
  readonly read: (reply: HttpReply) => T;
  /** For sentences: what was asked for, and what permission it needs. */
  readonly purpose?: string;
  readonly budget?: RequestBudget;
  readonly use?: BudgetUse;
  readonly limits?: Partial<HttpLimits>;
  readonly signal: AbortSignal;
}

/** An answer that is no success, for the service's own words. */
export interface RestFailure {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly purpose: string;
}

export interface Attempts {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

/** Of each request: with half of all requests failing one in a hundred fails for good, with one in twenty hardly any. Waits take 13 seconds in all on average. */
export const USUAL_ATTEMPTS: Attempts = { attempts: 7, firstDelayMs: 400, maxDelayMs: 20_000 };
const USUAL_LIMITS: HttpLimits = { headersMs: 100_000, idleMs: 60_000, mostBytes: 64 << 20 };
/** No service asks for longer in good faith. */
const LONGEST_WAIT_MS = 30 * 60_000;

export interface RestClientOptions {
  /** 'https://host/path' without a slash at its end. Nothing else gets the token. */
  readonly baseUrl: string;
  readonly tokens: TokenSource;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes an error of an answer; class `retry` has the request sent again. */
  readonly explain: (failure: RestFailure) => HoldfastError;
  /** Whether a 429 is about requests at the same time, not about their number: then others may go on. */
  readonly isCrowded?: (failure: RestFailure) => boolean;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: RandomBytes;
  readonly limits?: Partial<HttpLimits>;
  readonly attempts?: Attempts;
  /** Every request and answer on the wire, for records and checks. */
  readonly onExchange?: (request: HttpRequest, reply: HttpReply) => void;
}

/** The HTTP layer of all services that speak REST: address, token, budget, retries, bounded waits and bodies. */
export class RestClient {
  readonly #options: RestClientOptions;

  constructor(options: RestClientOptions) {
    this.#options = options;
  }

  /** Sends until there is an answer, the error is one that a repetition cannot help, or the attempts are used up. */
  async send<T>(request: RestRequest<T>): Promise<T> {
    const { random, sleep, attempts = USUAL_ATTEMPTS } = this.#options;
    return await retry(async () => await this.#attempt(request), { ...attempts, random, sleep, signal: request.signal, jitter: 'full' });
  }

  async #attempt<T>(request: RestRequest<T>): Promise<T> {
    try {
      const reply = await this.#exchange(request);
      if (reply.status >= 200 && reply.status < 300) return request.read(reply);
      throw this.#failed(request, reply);
    } catch (error) {
      throw mayRepeat(request) ? error : unrepeatable(error);
    }
  }

  /** Once with the token that is there, and once more with a new one where that is refused. */
  async #exchange<T>(request: RestRequest<T>): Promise<HttpReply> {
    const { tokens } = this.#options;
    const first = await this.#withToken(request);
    if (first.reply.status !== 401 || first.token === undefined) return first.reply;
    tokens.refused(first.token);
    return (await this.#withToken(request)).reply;
  }

  async #withToken<T>(request: RestRequest<T>): Promise<{ token: string | undefined; reply: HttpReply }> {
    const { budget, use = {}, signal } = request;
    const leave = await budget?.enter(use, signal);
    try {
      const token = request.withoutToken === true ? undefined : await this.#options.tokens.token(signal);
      return { token, reply: await this.#onWire(request, token) };
    } finally {
      leave?.();
    }
  }

  async #onWire<T>(request: RestRequest<T>, token: string | undefined): Promise<HttpReply> {
    const { headers, limits, onExchange } = this.#options;
    const { method, body } = request;
    const wire: HttpRequest = {
      method, url: token === undefined ? openAddress(request.path) : this.#addressOf(request.path),
      headers: { ...headers, ...request.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body }),
    };
    const reply = await httpExchange(wire, { ...USUAL_LIMITS, ...limits, ...request.limits }, request.signal);
    onExchange?.(wire, reply);
    return reply;
  }

  /** A link that a service gives is followed only to where the token belongs. */
  #addressOf(path: string): string {
    const { baseUrl } = this.#options;
    if (path.startsWith('/')) return baseUrl + path;
    if (path.startsWith(`${baseUrl}/`) && new URL(path).origin === new URL(baseUrl).origin) return path;
    throw new HoldfastError('http/foreign-address', 'never', `${new URL(baseUrl).host} sent a link to another place, which is not followed.`);
  }

  #failed<T>(request: RestRequest<T>, reply: HttpReply): HoldfastError {
    const { explain, isCrowded, clock } = this.#options;
    const failure = { status: reply.status, headers: reply.headers, bytes: reply.bytes, purpose: request.purpose ?? '' };
    const error = explain(failure);
    const asked = retryAfterMs(reply.headers.get('retry-after'), clock.now());
    if (error.retryClass !== 'retry' || asked === undefined) return error;
    if (asked > LONGEST_WAIT_MS) return withData(error, 'resume', {});
    if (reply.status === 429 && isCrowded?.(failure) !== true) request.budget?.closeFor(asked);
    return withData(error, 'retry', { retryAfterMs: asked });
  }
}

/** Contents go over TLS, or not beyond this machine. */
function openAddress(address: string): string {
  const url = URL.parse(address);
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname));
  if (url === null || !isSafe || url.username !== '') throw new HoldfastError('http/foreign-address', 'never', 'The service sent an address for contents that is not safe, which is not followed.');
  return address;
}

function withData(error: HoldfastError, retryClass: HoldfastError['retryClass'], data: Record<string, number>): HoldfastError {
  return new HoldfastError(error.code, retryClass, error.message, { data: { ...error.data, ...data }, cause: error });
}

function mayRepeat({ method, repeatable }: RestRequest<unknown>): boolean {
  return repeatable ?? !['POST', 'PATCH'].includes(method);
}

/** What was not refused unread may have been done. */
function unrepeatable(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.retryClass !== 'retry') return error;
  const status = error.data['status'];
  return status === 429 || status === 503 ? error : withData(error, 'resume', {});
}
