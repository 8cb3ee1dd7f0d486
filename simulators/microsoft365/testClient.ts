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
  const ask = async (method: string, path: string, { headers = {}, body }: AskOptions = {}): Promise<TestAnswer> => {
    const url = path.startsWith('http') ? path : `${simulator.graphUrl}/v1.0${path}`;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const isOutlook = url.includes('/outlook/');
    const sent = {
      ...(isOutlook ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }), ...headers,
    };
    const response = await fetch(url, { method, headers: sent, redirect: 'manual', ...(body === undefined ? {} : { body: (isRaw ? body : JSON.stringify(body)) as string }) });
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, bytes, json: isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : undefined };
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
