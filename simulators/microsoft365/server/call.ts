import { withOwnCase } from '../odata/enumerations.ts';
import type { ODataQuery } from '../odata/query.ts';
import type { World } from '../world.ts';
import type { App } from '../signIn/apps.ts';
import { badRequest } from './graphFailure.ts';
import type { Preferences } from './preferences.ts';
import type { Reply } from './reply.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** A request as it arrived, by the wire or inside of a batch. */
export interface IncomingRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** True for one of the requests inside of a $batch. */
  readonly batched: boolean;
}

/** A request that found its route and may use it. */
export interface Call {
  readonly world: World;
  readonly app: App;
  readonly request: IncomingRequest;
  /** Path without version and query, decoded: '/users/x/messages'. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: ODataQuery;
  readonly prefer: Preferences;
  /** The permissions by which this call was let in. */
  readonly granted: ReadonlySet<string>;
}

export interface Route {
  readonly method: Method;
  /** As in the published OpenAPI document, parameters in braces. */
  readonly path: string;
  /** Application permissions of which the caller needs one. Empty: no application may call this. */
  readonly permissions: readonly string[];
  /** Query options that this route takes besides those of its kind. */
  readonly options?: readonly string[];
  /** For routes whose query options are fewer than usual; undefined: all of a read. */
  readonly only?: readonly string[];
  handle(call: Call): Reply | Promise<Reply>;
}

/** A parameter of the route's own pattern: its absence is a mistake of the simulator. */
export function param(call: Call, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`the route of ${call.path} has no parameter ${name}`);
  return value;
}

/** The body as a JSON object, or 400 as the service says it. */
export function jsonBody(call: Call): Record<string, unknown> {
  const type = call.request.headers['content-type'] ?? '';
  if (!/^application\/json\b/i.test(type)) {
    throw badRequest('The request has a body that is not of Content-Type application/json.', 'RequestBodyRead');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(call.request.body).toString('utf8'));
  } catch (error) {
    throw badRequest(`Unable to read JSON request payload. ${String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw badRequest('The request body must be a JSON object.');
  return withOwnCase(parsed) as Record<string, unknown>;
}

/** `…/v1.0` of this simulator, for links in answers. */
export function graphRoot(call: Call): string {
  return `${call.world.origin}/v1.0`;
}
