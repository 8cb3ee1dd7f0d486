import { freeBuffer } from '../../../runtime/index.ts';
import { truncated, type BudgetUse, type HttpLimits, type HttpReply, type RequestBudget, type RestClient } from '../../../rest/index.ts';
import { oddAnswer } from './graphErrors.ts';

/** What goes with every request, whatever it asks for. */
export interface GraphCall {
  /** For sentences: what is done, and which permission it needs. */
  readonly purpose: string;
  /** Of the mailbox; undefined for the directory. */
  readonly budget?: RequestBudget | undefined;
  readonly signal: AbortSignal;
}

export interface GraphOptions extends GraphCall {
  /** Preferences besides immutable ids, which every request asks for (fact 41: each one has to). */
  readonly prefer?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

export const IMMUTABLE_IDS = 'IdType="ImmutableId"';

/** Requests to Microsoft Graph v1.0. Paths begin below the version: '/users/…'. */
export class GraphClient {
  readonly #rest: RestClient;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  /** A JSON document. `path` may be a whole link that Graph gave. */
  async get(path: string, options: GraphOptions): Promise<Readonly<Record<string, unknown>>> {
    return await this.#rest.send({
      method: 'GET', path, headers: { accept: 'application/json', ...headersOf(options) }, read: readDocument, ...callOf(options),
    });
  }

  /** Content as it is, in memory or, where it is large, in the file of the limits. */
  async content(path: string, options: GraphOptions & { readonly limits: Partial<HttpLimits> }): Promise<HttpReply> {
    return await this.#rest.send({
      method: 'GET', path, headers: headersOf(options), read: (reply) => reply, limits: options.limits, ...callOf(options),
    });
  }

  /** Sends a JSON document. `repeatable`: whether it may be sent again when nobody knows whether it was done. */
  async post(path: string, body: unknown, options: GraphOptions & { readonly repeatable: boolean; readonly use?: BudgetUse }): Promise<Readonly<Record<string, unknown>>> {
    return await this.#sendDocument('POST', path, body, options);
  }

  /** A POST without a body that answers with a document, and does no harm when it is done twice. */
  async ask(path: string, options: GraphOptions): Promise<Readonly<Record<string, unknown>>> {
    return await this.#rest.send({ method: 'POST', path, headers: { accept: 'application/json', ...headersOf(options) }, repeatable: true, read: readDocument, ...callOf(options) });
  }

  /** Changes properties. Done twice it ends the same, so it is repeated. */
  async patch(path: string, body: unknown, options: GraphOptions): Promise<Readonly<Record<string, unknown>>> {
    return await this.#sendDocument('PATCH', path, body, { ...options, repeatable: true });
  }

  /** A POST without a document on either side, that ends the same when it is done twice. */
  async act(path: string, options: GraphOptions): Promise<void> {
    await this.#rest.send({ method: 'POST', path, headers: headersOf(options), repeatable: true, read: () => undefined, ...callOf(options) });
  }

  /** Puts a content in its place. Done twice it ends the same. */
  async put(path: string, bytes: Uint8Array, options: GraphOptions): Promise<void> {
    await this.#rest.send({
      method: 'PUT', path, headers: headersOf(options), body: Uint8Array.from(bytes), repeatable: true, read: () => undefined, ...callOf(options), use: { uploadBytes: bytes.length },
    });
  }

  /** Takes something away. Of what is away already 'microsoft365/not-found' is thrown. */
  async remove(path: string, options: GraphOptions): Promise<void> {
    await this.#rest.send({ method: 'DELETE', path, headers: headersOf(options), repeatable: true, read: () => undefined, ...callOf(options) });
  }

  /** Bytes to or from an address that Graph gave for contents. It carries its own right: no token goes there (facts 47 and 55). */
  async transfer(method: 'PUT' | 'GET' | 'DELETE' | 'POST', address: string, options: GraphCall & { readonly body?: Uint8Array<ArrayBuffer>; readonly headers?: Readonly<Record<string, string>> }): Promise<HttpReply> {
    const { body, headers = {} } = options;
    return await this.#rest.send({
      method, path: address, withoutToken: true, headers, read: (reply) => reply, ...callOf(options), use: { uploadBytes: body?.length ?? 0 }, ...(body === undefined ? {} : { body }),
    });
  }

  /** What is sent counts (fact 4). */
  async #sendDocument(
    method: 'POST' | 'PATCH', path: string, body: unknown, options: GraphOptions & { readonly repeatable: boolean; readonly use?: BudgetUse },
  ): Promise<Readonly<Record<string, unknown>>> {
    const text = JSON.stringify(body);
    const { repeatable, use = { uploadBytes: Buffer.byteLength(text) } } = options;
    return await this.#rest.send({
      method, path, headers: { accept: 'application/json', 'content-type': 'application/json', ...headersOf(options) },
      body: text, repeatable, read: readDocument, ...callOf(options), use,
    });
  }
}

function headersOf({ prefer = [], headers = {} }: GraphOptions): Record<string, string> {
  return { ...headers, prefer: [IMMUTABLE_IDS, ...prefer].join(', ') };
}

function callOf({ purpose, budget, signal }: GraphCall): Pick<Parameters<RestClient['send']>[0], 'purpose' | 'signal' | 'budget'> {
  return { purpose, signal, ...(budget === undefined ? {} : { budget }) };
}

/** A body that ends too early is no JSON; it is asked for again. Its bytes are given back at once: pages are large, and many. */
function readDocument({ bytes }: HttpReply): Readonly<Record<string, unknown>> {
  let value: unknown;
  const { length } = bytes;
  const text = bytes.toString('utf8');
  freeBuffer(bytes);
  try {
    value = JSON.parse(text);
  } catch {
    throw truncated('Microsoft Graph', `no whole JSON in ${length} bytes`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw oddAnswer('a document');
  return value as Record<string, unknown>;
}
