import { findBreaches, IS_AVAILABLE } from './conformance/testOpenApi.ts';
import { startMicrosoft365 } from './index.ts';
import type { Microsoft365, Microsoft365Options } from './index.ts';

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; undefined where it is no JSON. */
  readonly json: any;
  readonly bytes: Buffer;
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless it is bytes or text. */
  readonly body?: unknown;
}

/** A simulator with somebody who is signed in to it. */
export interface TestClient extends AsyncDisposable {
  readonly simulator: Microsoft365;
  /** '/users/<address of the mailbox>'. */
  readonly me: string;
  readonly address: string;
  signIn(): Promise<void>;
  /** `path`: below /v1.0, or a whole address from an answer. */
  ask(method: string, path: string, options?: AskOptions): Promise<TestAnswer>;
  get(path: string, prefer?: string): Promise<TestAnswer>;
  /** All entries of a list, through every nextLink; and the last page's body. */
  all(path: string, prefer?: string): Promise<{ entries: any[]; pages: number; last: any }>;
}

export const STANDS_AT = new Date('2026-07-01T09:00:00Z');

/** Starts a small tenant whose clock stands, and signs in. */
export async function startTestClient(options: Microsoft365Options = {}): Promise<TestClient> {
  const simulator = await startMicrosoft365({ standsAt: STANDS_AT, mailboxes: 3, items: 100, seed: 'test', ...options });
  const address = simulator.mailboxes[0] ?? '';
  let token = '';
  let asked = 0;
  const ask = async (method: string, path: string, { headers = {}, body }: AskOptions = {}): Promise<TestAnswer> => {
    const url = path.startsWith('http') ? path : `${simulator.graphUrl}/v1.0${path}`;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const isOutlook = url.startsWith(`${simulator.graphUrl}/outlook/`);
    asked += 1;
    const sent: Record<string, string> = {
      'client-request-id': `ask ${asked}`,
      ...(isOutlook ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }), ...headers,
    };
    const response = await fetch(url, { method, headers: sent, redirect: 'manual', ...(body === undefined ? {} : { body: (isRaw ? body : JSON.stringify(body)) as string }) });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const json: unknown = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined;
    refuseBreaches(simulator, sent, { method, url, status: response.status, json, body });
    return { status: response.status, headers: response.headers, bytes, json };
  };
  const client: TestClient = {
    simulator, address, me: `/users/${address}`, ask,
    signIn: async () => {
      const { tenant, loginUrl, clientId, clientSecret } = simulator;
      const form = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
      const answer = await ask('POST', `${loginUrl}/${tenant}/oauth2/v2.0/token`, { body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      if (answer.status !== 200) throw new Error(`signing in ended with ${answer.status}: ${answer.bytes.toString()}`);
      token = answer.json.access_token;
    },
    get: (path, prefer) => ask('GET', path, prefer === undefined ? {} : { headers: { prefer } }),
    all: async (path, prefer) => {
      const entries: any[] = [];
      let next: string | undefined = path;
      let pages = 0;
      let last: any;
      while (next !== undefined) {
        const answer: TestAnswer = await client.get(next, prefer);
        if (answer.status !== 200) throw new Error(`${next} ended with ${answer.status}: ${answer.bytes.toString()}`);
        last = answer.json;
        entries.push(...last.value);
        next = last['@odata.nextLink'];
        pages += 1;
        if (pages > 10_000) throw new Error('the list has no end');
      }
      return { entries, pages, last };
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  };
  await client.signIn();
  return client;
}

/** Every answer of every test, and every request that was taken, is held against the published document where that is there. */
function refuseBreaches(simulator: Microsoft365, sent: Readonly<Record<string, string>>, exchange: { method: string; url: string; status: number; json: unknown; body: unknown }): void {
  if (!IS_AVAILABLE) return;
  const entry = simulator.requests().findLast(({ headers }) => headers['client-request-id'] === sent['client-request-id']);
  if (entry?.route === undefined || entry.fault !== undefined) return;
  const { method, url, status, json, body } = exchange;
  const isJson = typeof body === 'object' && !(body instanceof Uint8Array);
  const breaches = findBreaches({ method, url, status, json, route: entry.route, requestType: sent['content-type'], requestBody: isJson ? body : undefined });
  if (breaches.length > 0) throw new Error(`${method} ${url} (${status}) is not as the document has it:\n${[...new Set(breaches)].slice(0, 10).join('\n')}`);
}
