import { setTimeout as wait } from 'node:timers/promises';
import { findBreaches, IS_AVAILABLE, startMicrosoft365, type LoggedRequest, type Microsoft365, type Microsoft365Options } from '../../../../simulators/microsoft365/index.ts';
import type { HttpReply, HttpRequest } from '../../../rest/index.ts';
import { systemClock, systemRandom } from '../../../runtime/index.ts';
import { modelRun, type ModelRun, type ModelRunOptions, type SnapshotModel } from '../../conformance.ts';
import type { SourceSession } from '../../contract.ts';
import { ExchangeSource } from '../exchange/exchangeSource.ts';
import { MailService } from '../exchange/mail/mailService.ts';
import type { Fidelity } from '../exchange/streams/fidelity.ts';
import type { SubServiceFactory } from '../exchange/subService.ts';
import { openSource, Tenant, type Microsoft365Runtime, type Microsoft365Settings } from '../index.ts';

/** Tests of mail count requests and rows: the other parts would be in their way. */
export const MAIL_ALONE: readonly SubServiceFactory[] = [(access) => new MailService(access)];

/** A run, and what it asked of the service, parts of batches among them. */
export interface TenantRun extends ModelRun {
  readonly requests: readonly LoggedRequest[];
}

export interface TenantOptions extends Microsoft365Options {
  readonly runtime?: Partial<Microsoft365Runtime>;
  readonly settings?: Partial<Microsoft365Settings>;
  /** Parts of a mailbox that are read; mail alone unless told. */
  readonly parts?: readonly SubServiceFactory[] | 'all';
  /** Only the readable form unless told: most tests count rows and requests. */
  readonly fidelity?: Fidelity;
}

/** A simulated tenant over HTTP, the product as its client, and somebody who changes mailboxes. Every exchange is held against the published document. */
export class TestTenant implements AsyncDisposable {
  readonly simulator: Microsoft365;
  readonly tenant: Tenant;
  readonly settings: Microsoft365Settings;
  readonly address: string;
  readonly #parts: readonly SubServiceFactory[] | 'all';
  readonly #fidelity: Fidelity;
  #token = '';
  /** What the document does not allow, found so far. */
  readonly breaches: string[] = [];

  private constructor(simulator: Microsoft365, { runtime, settings, parts = MAIL_ALONE, fidelity = 'mime' }: TenantOptions) {
    this.simulator = simulator;
    this.#parts = parts;
    this.#fidelity = fidelity;
    this.address = simulator.mailboxes[0] ?? '';
    const { tenant, clientId, clientSecret, graphUrl, loginUrl } = simulator;
    this.settings = { tenant, clientId, clientSecret, graphUrl, loginUrl, ...settings };
    this.tenant = new Tenant(this.settings, { ...quickRuntime((request, reply) => this.#check(request, reply)), ...runtime });
  }

  static async start(options: TenantOptions = {}): Promise<TestTenant> {
    const simulator = await startMicrosoft365({ mailboxes: 3, items: 50, seed: 'exchange', ...options });
    return new TestTenant(simulator, options);
  }

  async source(address = this.address, tenant = this.tenant, fidelity = this.#fidelity): Promise<SourceSession> {
    const mailbox = await tenant.mailbox(address, new AbortController().signal);
    return this.#parts === 'all' ? openSource(tenant, mailbox, fidelity) : new ExchangeSource(tenant, mailbox, fidelity, this.#parts);
  }

  /** The same tenant behind something else. */
  through(url: string): Tenant {
    return new Tenant({ ...this.settings, graphUrl: url, loginUrl: url }, quickRuntime());
  }

  /** A run through something that stands before the simulator and changes its answers: these are not held against the document. */
  async runThrough(url: string, previous?: SnapshotModel): Promise<ModelRun> {
    const source = await this.source(this.address, this.through(url));
    try {
      return await modelRun(source, previous);
    } finally {
      await source.close();
    }
  }

  async run(previous?: SnapshotModel, options: ModelRunOptions & { readonly address?: string; readonly fidelity?: Fidelity } = {}): Promise<TenantRun> {
    const source = await this.source(options.address, this.tenant, options.fidelity);
    const before = this.simulator.log.total;
    try {
      const run = await modelRun(source, previous, options);
      if (this.breaches.length > 0) throw new Error(this.breaches.join('\n'));
      return { ...run, requests: this.simulator.requests().filter(({ number }) => number > before) };
    } finally {
      await source.close();
    }
  }

  /** Somebody else's request: `path` below the mailbox. Throws unless it succeeds. */
  async ask(method: string, path: string, body?: unknown, address = this.address): Promise<any> {
    return await this.askAt(method, `/users/${address}${path}`, body);
  }

  /** The same with a path below the version. */
  async askAt(method: string, path: string, body?: unknown): Promise<any> {
    const { graphUrl } = this.simulator;
    const headers = { prefer: 'IdType="ImmutableId"', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(`${graphUrl}/v1.0${path}`, {
        method, headers: { ...headers, authorization: `Bearer ${this.#token}` }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.ok) return text === '' ? undefined : JSON.parse(text);
      if (attempt > 3) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      if (response.status === 401) await this.#signIn();
      else await wait(50);
    }
  }

  /** Somebody else's request for bytes, or with bytes. undefined: there is nothing. */
  async bytes(method: 'GET' | 'PUT' | 'DELETE', path: string, { address = this.address, body, type = 'application/octet-stream' }: { readonly address?: string; readonly body?: Buffer; readonly type?: string } = {}): Promise<Buffer | undefined> {
    if (this.#token === '') await this.#signIn();
    const headers = { prefer: 'IdType="ImmutableId"', authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': type }) };
    const response = await fetch(`${this.simulator.graphUrl}/v1.0/users/${address}${path}`, { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) });
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  async #signIn(): Promise<void> {
    const { loginUrl, tenant, clientId, clientSecret } = this.simulator;
    const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
    const response = await fetch(`${loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body });
    this.#token = ((await response.json()) as { access_token: string }).access_token;
  }

  /** Messages of a folder, by id or name. */
  async messages(folder = 'inbox', top = 10): Promise<any[]> {
    return (await this.ask('GET', `/mailFolders/${folder}/messages?$top=${top}`)).value;
  }

  async folderId(name: string): Promise<string> {
    return (await this.ask('GET', `/mailFolders/${name}?$select=id`)).id;
  }

  async addMessage(folder = 'inbox', subject = 'Added'): Promise<string> {
    return (await this.ask('POST', `/mailFolders/${folder}/messages`, {
      subject, body: { contentType: 'text', content: `Body of ${subject}` }, toRecipients: [{ emailAddress: { name: 'Bea', address: 'bea@example.test' } }],
      singleValueExtendedProperties: [{ id: 'Integer 0x0E07', value: '1' }, { id: 'SystemTime 0x0E06', value: '2026-05-01T10:00:00Z' }],
    })).id;
  }

  #check(request: HttpRequest, reply: HttpReply): void {
    if (!IS_AVAILABLE) return;
    const json = jsonOf(reply);
    const at = request.url.slice(this.simulator.graphUrl.length);
    const route = this.simulator.requests().findLast((entry) => entry.url === at && entry.method === request.method)?.route;
    if (route === undefined) return;
    const requestBody: unknown = typeof request.body === 'string' ? JSON.parse(request.body) : undefined;
    if (route === '/$batch') this.#checkBatch(requestBody, json);
    this.breaches.push(...findBreaches({
      method: request.method, route, url: request.url, requestType: request.headers['content-type'], requestBody, status: reply.status, json,
    }).map((breach) => `${request.method} ${route}: ${breach}`));
  }

  #checkBatch(request: unknown, answer: unknown): void {
    const { requests } = request as { requests: { id: string; method: string; url: string }[] };
    const { responses = [] } = (answer ?? {}) as { responses?: { id: string; status: number; body?: unknown }[] };
    for (const { id, status, body } of responses) {
      const inner = requests.find((one) => one.id === id);
      const route = this.simulator.requests().findLast((entry) => entry.url === `/v1.0${inner?.url}` && entry.batched)?.route;
      if (inner === undefined || route === undefined) continue;
      const exchange = { method: inner.method, route, url: `${this.simulator.graphUrl}/v1.0${inner.url}`, requestType: undefined, requestBody: undefined, status, json: body };
      this.breaches.push(...findBreaches(exchange).map((breach) => `in a batch, ${inner.method} ${route}: ${breach}`));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulator.close();
  }
}

/** Waits are cut short: tests count requests, not seconds. */
export function quickRuntime(onExchange?: Microsoft365Runtime['onExchange']): Microsoft365Runtime {
  return {
    clock: systemClock, random: systemRandom, sleep: async (ms, signal) => {
      await wait(Math.min(ms, 5), undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
        throw signal?.aborted === true ? signal.reason : error;
      });
    },
    ...(onExchange === undefined ? {} : { onExchange }),
  };
}

function jsonOf({ headers, bytes }: HttpReply): unknown {
  if (headers.get('content-type')?.includes('json') !== true) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
