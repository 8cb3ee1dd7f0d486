import { createHash, timingSafeEqual } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends the session's cookie along whoever wrote the page. So what changes something must come from our own pages:
 * a foreign Origin is refused always, and with a cookie one of Origin and Sec-Fetch-Site must prove that it is ours.
 * Errors: `api/other-origin`.
 */
export function checkOrigin(request: Request, publicUrl: string, withCookie: boolean): void {
  if (SAFE.has(request.method)) return;
  const origin = request.headers.get('origin');
  const ours = new URL(publicUrl).origin;
  if (origin === ours) return;
  if (origin === null && (!withCookie || request.headers.get('sec-fetch-site') === 'same-origin')) return;
  throw new HoldfastError('api/other-origin', 'input',
    `This request does not come from a page of this service. Open ${ours}; programs send a token in place of a cookie.`);
}

/** Forms of other pages cannot send JSON without asking first. Errors: `api/wrong-type`. */
export function checkType(request: Request, hasBody: boolean): void {
  if (!hasBody) return;
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new HoldfastError('api/wrong-type', 'input', 'Send the body as JSON, with the header Content-Type: application/json.');
}

/**
 * The machine itself, and not on behalf of somebody else; or who has the token of the settings. The machine is called by a name of its own:
 * under another one it may be a page in a browser here, whose name was pointed at this machine after it was loaded.
 */
export function isOperator(request: Request, peer: string, bearer: string | undefined, token: string | undefined): boolean {
  if (bearer !== undefined) return token !== undefined && timingSafeEqual(digestOf(bearer), digestOf(token));
  const loopback = peer === '::1' || /^(::ffff:)?127\./.test(peer);
  const named = OWN_NAMES.test(request.headers.get('host') ?? 'localhost');
  return loopback && named && !['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'].some((name) => request.headers.has(name));
}

const OWN_NAMES = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * The address that a request comes from. Where the peer is a proxy of the settings, it is the last address that the proxies
 * in a row did not write of themselves; else nobody's word counts but the peer's own.
 */
export function addressOf(peer: string, forwarded: string | null, proxies: ReadonlySet<string>): string {
  const chain = [...(forwarded ?? '').split(',').map((part) => part.trim()).filter((part) => part !== ''), plainAddress(peer)];
  let address = chain.pop() ?? peer;
  while (proxies.has(address)) {
    const before = chain.pop();
    if (before === undefined || !/^[0-9a-fA-F.:]{2,45}$/.test(before)) break;
    address = plainAddress(before);
  }
  return address;
}

function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
