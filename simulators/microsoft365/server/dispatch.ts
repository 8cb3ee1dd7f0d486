import { parseQuery } from '../odata/query.ts';
import { allRoutes } from '../routes.ts';
import type { World } from '../world.ts';
import { answerPreauthenticated } from '../mail/preauthenticated.ts';
import { answerSignIn } from '../signIn/signInRoutes.ts';
import { answerBatch } from './batch.ts';
import type { Call, IncomingRequest, Route } from './call.ts';
import type { Fault } from './faults.ts';
import { codeOfStatus } from './faults.ts';
import { badRequest, GraphFailure } from './graphFailure.ts';
import { readPreferences } from './preferences.ts';
import { failureReply } from './reply.ts';
import type { Reply } from './reply.ts';
import type { LoggedRequest } from './requestLog.ts';
import { Router } from './router.ts';

const READ_OPTIONS = ['select', 'expand', 'filter', 'orderby', 'top', 'skip', 'count', 'search', 'skiptoken'];
/** Uploads go to sessions instead (fact 47). */
const MOST_BODY = 4 * 1024 * 1024;
const ROUTER = new Router(allRoutes());

/** An answer, and what is to be done to the wire besides. */
export interface Answer {
  readonly reply: Reply;
  readonly fault: Fault | undefined;
  readonly entry: LoggedRequest;
  /** To be called when the answer has gone out: until then the request counts as running. */
  finish(): void;
}

/** Answers one request: fault, sign-in, throttling, permission, route. It never throws. */
export async function answer(world: World, request: IncomingRequest): Promise<Answer> {
  const entry = world.log.begin(request, world.clock.now());
  const fault = world.faults.next(request);
  if (fault !== undefined) entry.fault = fault.kind;
  if (fault?.kind === 'do') fault.action();
  const requestId = world.newId();
  let finish = (): void => undefined;
  let reply: Reply;
  try {
    if (fault?.kind === 'status') throw statusFault(fault);
    reply = await answerHost(world, request, entry, (leave) => {
      finish = leave;
    });
  } catch (error) {
    reply = failureReply(error, requestId, request.headers['client-request-id'], world.clock.now());
  }
  entry.status = reply.status;
  const clientRequestId = request.headers['client-request-id'] ?? requestId;
  return { reply: { ...reply, headers: { 'request-id': requestId, 'client-request-id': clientRequestId, ...reply.headers } }, fault, entry, finish };
}

async function answerHost(world: World, request: IncomingRequest, entry: LoggedRequest, onEnter: (leave: () => void) => void): Promise<Reply> {
  const [rawPath = ''] = request.url.split('?');
  if (rawPath.startsWith('/outlook/')) return answerPreauthenticated(world, request, onEnter);
  const version = /^\/(v1\.0|beta)(?=\/|$)/i.exec(rawPath);
  if (version === null) {
    const reply = request.batched ? undefined : answerSignIn(world, request);
    if (reply !== undefined) return reply;
    throw badRequest('Invalid version.');
  }
  if (version[1] === 'beta') throw badRequest('The simulator speaks v1.0 alone.', 'UnsupportedVersion');
  return answerGraph(world, request, pathOf(rawPath.slice(version[0].length)), entry, onEnter);
}

async function answerGraph(world: World, request: IncomingRequest, path: string, entry: LoggedRequest, onEnter: (leave: () => void) => void): Promise<Reply> {
  const claims = world.tokens.check(request.headers['authorization']);
  const app = world.apps.get(claims.appid);
  if (app === undefined) throw new GraphFailure(401, 'InvalidAuthenticationToken', 'The application is not known.');
  if (path.toLowerCase() === '/$batch') {
    entry.route = '/$batch';
    return answerBatch(request, (inner) => answer(world, inner));
  }
  if (request.body.length > MOST_BODY) throw new GraphFailure(413, 'RequestEntityTooLarge', 'The request is larger than 4 MB.');
  const match = ROUTER.find(request.method, path);
  if (match === undefined) throw badRequest(`Resource not found for the segment '${path.split('/').at(-1) ?? ''}'.`);
  if (match === 'method') throw new GraphFailure(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.');
  const { route, params } = match;
  entry.route = route.path;
  const upload = request.method === 'GET' || request.method === 'DELETE' ? 0 : request.body.length;
  onEnter(world.throttle.enter(app.id, throttledMailbox(world, route, params), upload));
  const roles = route.permissions.filter((permission) => claims.roles.includes(permission) && app.granted.has(permission));
  if (roles.length === 0) throw forbidden(path);
  const call: Call = { world, app, request, path, params, query: queryOf(world, request, route), prefer: readPreferences(request.headers['prefer']), granted: new Set(roles) };
  const reply = await route.handle(call);
  const applied = call.prefer.applied.join(', ');
  return applied === '' ? reply : { ...reply, headers: { 'Preference-Applied': applied, ...reply.headers } };
}

function queryOf(world: World, request: IncomingRequest, route: Route): Call['query'] {
  const parameters = new URL(request.url, world.origin).searchParams;
  const isDelta = route.path.endsWith('/delta()');
  const allowed = route.only ?? (route.method === 'GET' ? READ_OPTIONS : ['select', 'expand']);
  return parseQuery(parameters, isDelta ? [...allowed, 'skiptoken', 'deltatoken'] : allowed, (route.options ?? []).map((name) => name.toLowerCase()));
}

/** Fact 4: everything of a user but the directory's own counts for the mailbox; To Do is taken to do so, too (fact 7). */
function throttledMailbox(world: World, route: Route, params: Readonly<Record<string, string>>): string | undefined {
  const exportId = params['mailbox-id'];
  if (exportId !== undefined) return /^MBX:([^@]+)@/.exec(exportId)?.[1];
  const isDirectory = /^\/users\/\{user-id\}(\/(memberOf|licenseDetails|manager|settings\/exchange))?$/.test(route.path);
  const name = params['user-id'];
  return name === undefined || isDirectory ? undefined : world.directory.user(name)?.id;
}

/** Decoded path; `mailFolders('inbox')` is `mailFolders/inbox`. */
function pathOf(rawPath: string): string {
  let path: string;
  try {
    path = rawPath.split('/').map((segment) => decodeURIComponent(segment).replaceAll('/', '%2F')).join('/');
  } catch (error) {
    throw badRequest(`The path is malformed: ${String(error)}`);
  }
  return path.replace(/\('([^']*)'\)/g, '/$1');
}

function forbidden(path: string): GraphFailure {
  const isOutlook = /^\/users\/[^/]+\/./.test(path);
  return isOutlook
    ? new GraphFailure(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.')
    : new GraphFailure(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
}

function statusFault(fault: Extract<Fault, { kind: 'status' }>): GraphFailure {
  const headers = fault.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(fault.retryAfterSeconds) };
  return new GraphFailure(fault.status, fault.code ?? codeOfStatus(fault.status), fault.message ?? 'This answer was asked for by a fault rule.', headers);
}
