import { createHash } from 'node:crypto';
import type { IncomingRequest } from '../server/call.ts';
import type { Reply } from '../server/reply.ts';
import type { World } from '../world.ts';
import type { App } from './apps.ts';

/** A sign-in of a person that the application has not asked for yet (OAuth's authorization code, with PKCE). */
export interface SignInCode {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly userId: string;
  readonly nonce: string;
  readonly challenge: string;
  readonly expires: number;
}

const CODE_MS = 600_000;
const TOKEN_SECONDS = 3599;

/** The page on which a person signs in; its form leads to itself with `login`, an address, and then back to the application. */
export function answerAuthorize(world: World, url: URL, request: IncomingRequest, app: App | undefined): Reply {
  const query = url.searchParams;
  const back = query.get('redirect_uri');
  if (request.method !== 'GET') return text(405, 'Method Not Allowed');
  if (app === undefined) return text(400, 'AADSTS700016: Application was not found in the directory.');
  if (back === null || !app.redirectUris.includes(back)) return text(400, 'AADSTS50011: The redirect URI specified in the request does not match those configured for the application.');
  const challenge = query.get('code_challenge') ?? '';
  if (query.get('response_type') !== 'code' || !(query.get('scope') ?? '').split(' ').includes('openid')) return text(400, 'AADSTS900144: response_type=code and the scope openid are what this page knows.');
  if (query.get('code_challenge_method') !== 'S256' || challenge === '') return text(400, 'AADSTS501481: The Code_Challenge does not match the supplied method.');
  const login = query.get('login');
  if (login === null) return page(url);
  const target = new URL(back);
  const state = query.get('state');
  if (state !== null) target.searchParams.set('state', state);
  const user = world.directory.user(login);
  if (user === undefined) {
    target.searchParams.set('error', 'access_denied');
    target.searchParams.set('error_description', 'AADSTS50020: User account does not exist in tenant.');
  } else {
    const code = Buffer.from(world.newId()).toString('base64url');
    world.codes.set(code, { clientId: app.id, redirectUri: back, userId: user.id, nonce: query.get('nonce') ?? '', challenge, expires: world.clock.now() + CODE_MS });
    target.searchParams.set('code', code);
  }
  return { status: 302, headers: { Location: target.href } };
}

/** Who signed in, for a code that was not used yet; undefined: the code is none. */
export function redeemCode(world: World, app: App, form: URLSearchParams): object | undefined {
  const code = form.get('code') ?? '';
  const signIn = world.codes.get(code);
  world.codes.delete(code);
  const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
  if (signIn === undefined || signIn.clientId !== app.id || signIn.redirectUri !== form.get('redirect_uri') || signIn.challenge !== challenge) return undefined;
  if (signIn.expires < world.clock.now()) return undefined;
  const user = world.directory.user(signIn.userId);
  if (user === undefined) return undefined;
  const iat = Math.floor(world.clock.now() / 1000);
  const claims = {
    aud: app.id, iss: `${world.origin}/${world.tenantId}/v2.0`, iat, nbf: iat, exp: iat + TOKEN_SECONDS, nonce: signIn.nonce, ver: '2.0',
    oid: user.id, tid: world.tenantId, preferred_username: user.person.address, name: user.person.displayName,
  };
  return { token_type: 'Bearer', scope: 'openid profile', expires_in: TOKEN_SECONDS, id_token: world.tokens.sign(claims) };
}

function page(url: URL): Reply {
  const hidden = [...url.searchParams].map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`).join('');
  const html = `<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1><form method="get">${hidden}<input name="login" aria-label="Address"><button>Next</button></form></html>`;
  return { status: 200, bytes: Buffer.from(html), headers: { 'Content-Type': 'text/html; charset=utf-8' } };
}

function text(status: number, message: string): Reply {
  return { status, bytes: Buffer.from(message), headers: { 'Content-Type': 'text/plain; charset=utf-8' } };
}

function escape(value: string): string {
  return value.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
