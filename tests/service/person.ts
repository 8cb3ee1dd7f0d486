import { openClient, type ApiClient } from '../../src/api/contract/index.ts';

let addresses = 0;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly location: string | null;
  readonly text: string;
  /** undefined where it is no JSON. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface CallOptions {
  /** Over those that a browser on our own page sends. undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** Somebody with an address and a browser: cookies, and the headers that a page of the service sends. */
export class Person {
  readonly address: string;
  email = '';
  cookies = new Map<string, string>();
  /** In place of the cookies. */
  token: string | undefined;
  readonly #url: string;

  constructor({ url }: { readonly url: string }) {
    this.#url = url;
    addresses++;
    this.address = `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  get headers(): Record<string, string> {
    return {
      origin: this.#url, 'x-forwarded-for': this.address, 'user-agent': 'test browser',
      ...(this.token !== undefined ? { authorization: `Bearer ${this.token}` } : this.cookies.size > 0 ? { cookie: this.cookie } : {}),
    };
  }

  /** The same address and cookies, as the typed client. */
  get api(): ApiClient {
    return openClient(this.#url, () => this.headers);
  }

  async request(method: string, path: string, body?: unknown, { headers = {}, signal }: CallOptions = {}): Promise<Response> {
    const sent = { ...this.headers, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers };
    const given = Object.entries(sent).filter((header): header is [string, string] => header[1] !== undefined);
    const response = await fetch(this.#url + path, {
      method, headers: given, redirect: 'manual', ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }), ...(signal && { signal }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const response = await this.request(method, path, body, options);
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
    return {
      status: response.status, headers: response.headers, location: response.headers.get('location'), text,
      body: json ? JSON.parse(text) as Record<string, unknown> : undefined,
    };
  }

  async must(status: number, method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.call(method, path, body, options);
    if (answer.status !== status) throw new Error(`${method} ${path} gave ${answer.status} in place of ${status}: ${answer.text}`);
    return answer;
  }

  /** What a list or a thing says; the call must succeed. */
  async read<T>(path: string): Promise<T> {
    return JSON.parse((await this.must(200, 'GET', path)).text) as T;
  }

  async signIn(email: string, password: string): Promise<void> {
    this.email = email;
    await this.must(200, 'POST', '/api/v1/session', { email, password });
  }

  /** Makes a token with these scopes and gives somebody who has nothing but it. */
  async withToken(...scopes: readonly string[]): Promise<Person> {
    const { body } = await this.must(201, 'POST', '/api/v1/tokens', { name: 'test', scopes, days: 1 });
    const program = new Person({ url: this.#url });
    program.email = this.email;
    program.token = String(body?.['token']);
    return program;
  }
}
