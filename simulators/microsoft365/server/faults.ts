import type { IncomingRequest } from './call.ts';

/** What goes wrong. `do` runs something of the test just before the request is answered: an item vanishes, a permission goes. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly code?: string; readonly message?: string; readonly retryAfterSeconds?: number }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** Status 200 and the length of the whole, but the connection ends after these bytes. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Status 200 and a body that ends properly, but too early: nothing on the wire tells. */
  | { readonly kind: 'cut'; readonly bytes: number }
  /** No answer ever; the connection stays open until the client or the simulator ends. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'do'; action(): void };

export interface FaultRule {
  readonly fault: Fault;
  /** Part of 'METHOD /path?query'; undefined: every request. */
  readonly on?: string | RegExp;
  /** This many matching requests go well first. */
  readonly after?: number;
  /** How many requests are hit; 1 unless told. */
  readonly times?: number;
}

/** Faults by script: each rule hits the matching requests from one number to another. */
export class Faults {
  readonly #rules: { readonly rule: FaultRule; seen: number }[] = [];

  /** Returns what takes the rule back. */
  add(rule: FaultRule): () => void {
    const entry = { rule, seen: 0 };
    this.#rules.push(entry);
    return () => {
      const at = this.#rules.indexOf(entry);
      if (at >= 0) this.#rules.splice(at, 1);
    };
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** The fault of this request, if any. Each rule counts every request that matches it. */
  next(request: IncomingRequest): Fault | undefined {
    const line = `${request.method} ${request.url}`;
    let fault: Fault | undefined;
    for (const entry of this.#rules) {
      const { on, after = 0, times = 1 } = entry.rule;
      if (on !== undefined && !(typeof on === 'string' ? line.includes(on) : on.test(line))) continue;
      entry.seen += 1;
      if (entry.seen > after && entry.seen <= after + times) fault ??= entry.rule.fault;
    }
    return fault;
  }
}

const STATUS_CODES: Readonly<Record<number, string>> = {
  401: 'InvalidAuthenticationToken', 403: 'ErrorAccessDenied', 404: 'ErrorItemNotFound', 409: 'ErrorIrresolvableConflict', 410: 'SyncStateNotFound',
  423: 'resourceLocked', 429: 'TooManyRequests', 500: 'InternalServerError', 502: 'BadGateway', 503: 'ServiceUnavailable', 504: 'GatewayTimeout',
};

export function codeOfStatus(status: number): string {
  return STATUS_CODES[status] ?? 'UnknownError';
}
