import type { IncomingRequest } from '../server/call.ts';
import { GraphFailure } from '../server/graphFailure.ts';
import type { Reply } from '../server/reply.ts';
import type { World } from '../world.ts';
import { answerImport } from '../transfer/importItem.ts';
import { answerUpload } from './uploadSession.ts';

/**
 * Addresses of the mail hosts that carry their own token. Facts 47 and 55: an Authorization header has no place here; sending one tells a
 * stranger the tenant's token, so it is refused.
 */
export function answerPreauthenticated(world: World, request: IncomingRequest, onEnter: (leave: () => void) => void): Reply {
  if (request.headers['authorization'] !== undefined) throw new GraphFailure(401, 'InvalidAuthenticationToken', 'This address is pre-authenticated: send no Authorization header.');
  const url = new URL(request.url, world.origin);
  const [, kind, id = ''] = /^\/outlook\/(AttachmentSessions|ImportSessions)\/([^/]+)$/.exec(url.pathname) ?? [];
  if (world.seal.open(url.searchParams.get('authtoken') ?? '') !== id) throw new GraphFailure(401, 'InvalidAuthenticationToken', 'The token of this address is not valid.');
  if (kind === 'ImportSessions') {
    const session = world.imports.get(id);
    if (session === undefined || session.expires <= world.clock.now()) throw gone();
    onEnter(world.throttle.enter(session.appId, session.userId, request.body.length));
    return answerImport(world, session, request);
  }
  const session = world.uploads.get(id);
  if (session === undefined || session.expires <= world.clock.now()) throw gone();
  onEnter(world.throttle.enter(session.appId, session.userId, request.method === 'PUT' ? request.body.length : 0));
  return answerUpload(session, request, () => world.uploads.delete(id));
}

function gone(): GraphFailure {
  return new GraphFailure(404, 'ErrorItemNotFound', 'The session is not known, or is over.');
}
