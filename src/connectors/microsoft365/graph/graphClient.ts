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
    const { repeatable, use } = options;
    return await this.#rest.send({
      method: 'POST', path, headers: { accept: 'application/json', 'content-type': 'application/json', ...headersOf(options) },
      body: JSON.stringify(body), repeatable, read: readDocument, ...callOf(options), ...(use === undefined ? {} : { use }),
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
