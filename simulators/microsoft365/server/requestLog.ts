/** One request as the simulator saw it. Neither tokens nor secrets are kept. */
export interface LoggedRequest {
  readonly number: number;
  readonly time: number;
  readonly method: string;
  /** Path and query as sent; the token of a pre-authenticated address is left out. */
  readonly url: string;
  /** The route's pattern, where there was one: '/users/{user-id}/messages'. */
  route: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestBytes: number;
  /** The items that an export asks for: its address does not tell. */
  readonly exported: readonly string[];
  readonly batched: boolean;
  status: number | undefined;
  responseBytes: number;
  /** The kind of the fault that was played, if any. */
  fault: string | undefined;
}

const MOST_ENTRIES = 100_000;
const HIDDEN_HEADERS = new Set(['authorization', 'cookie']);

/** What was asked, for tests: the newest hundred thousand requests, and counts of all. */
export class RequestLog {
  #entries: LoggedRequest[] = [];
  #number = 0;

  begin(request: { method: string; url: string; headers: Readonly<Record<string, string>>; body: Uint8Array; batched: boolean }, time: number): LoggedRequest {
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HIDDEN_HEADERS.has(name)));
    const entry: LoggedRequest = {
      number: ++this.#number, time, method: request.method, url: request.url.replace(/([?&]authtoken=)[^&]+/, '$1…'), route: undefined, headers,
      requestBytes: request.body.length, exported: exportedBy(request), batched: request.batched, status: undefined, responseBytes: 0, fault: undefined,
    };
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES * 1.1) this.#entries = this.#entries.slice(-MOST_ENTRIES);
    return entry;
  }

  /** All requests so far, also those no longer kept. */
  get total(): number {
    return this.#number;
  }

  all(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** Those whose method, route pattern or url contain the text. */
  matching(text: string): LoggedRequest[] {
    return this.#entries.filter(({ method, url, route }) => `${method} ${url}`.includes(text) || `${method} ${route ?? ''}`.includes(text));
  }

  clear(): void {
    this.#entries = [];
  }
}

function exportedBy({ url, body }: { readonly url: string; readonly body: Uint8Array }): readonly string[] {
  if (!url.endsWith('/exportItems')) return [];
  try {
    const { itemIds } = JSON.parse(Buffer.from(body).toString()) as { itemIds?: unknown };
    return Array.isArray(itemIds) ? itemIds.map(String) : [];
  } catch {
    return [];
  }
}
