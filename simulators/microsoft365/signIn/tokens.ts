import { createHmac, timingSafeEqual } from 'node:crypto';
import { GraphFailure } from '../server/graphFailure.ts';
import type { Clock } from '../server/clock.ts';
import type { App } from './apps.ts';

/** Fact 98. */
export const TOKEN_SECONDS = 3599;
const MOST_KNOWN = 1000;

interface Claims {
  readonly aud: string;
  readonly appid: string;
  readonly tid: string;
  readonly roles: readonly string[];
  readonly iat: number;
  readonly exp: number;
}

/** Makes and checks access tokens. They look as the service's do; only this simulator can check them. */
export class Tokens {
  readonly #key: string;
  readonly #clock: Clock;
  readonly #tenant: string;
  #revokedBefore = 0;
  /** Of tokens whose signature was found good: a run sends the same one a million times. */
  readonly #known = new Map<string, Claims>();

  constructor(key: string, clock: Clock, tenant: string) {
    this.#key = key;
    this.#clock = clock;
    this.#tenant = tenant;
  }

  issue(app: App): string {
    const iat = Math.floor(this.#clock.now() / 1000);
    const claims: Claims = {
      aud: 'https://graph.microsoft.com', appid: app.id, tid: this.#tenant, roles: [...app.granted], iat, exp: iat + TOKEN_SECONDS,
    };
    return this.sign(claims);
  }

  /** A token with these claims. */
  sign(claims: object): string {
    const text = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode(claims)}`;
    return `${text}.${this.#sign(text)}`;
  }

  /** All tokens so far answer 401 from now on, as after a revocation in mid-run. */
  revokeAll(): void {
    this.#revokedBefore = Math.floor(this.#clock.now() / 1000) + 1;
  }

  /** The claims of a bearer header, or 401. */
  check(authorization: string | undefined): Claims {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw unauthorized('Access token is empty.');
    const claims = this.#signed(token);
    if (claims.exp * 1000 <= this.#clock.now()) throw unauthorized('Lifetime validation failed, the token is expired.');
    if (claims.iat < this.#revokedBefore) throw unauthorized('The token was revoked.');
    if (claims.tid !== this.#tenant) throw unauthorized('Access token validation failure. Invalid tenant.');
    return claims;
  }

  #signed(token: string): Claims {
    const known = this.#known.get(token);
    if (known !== undefined) return known;
    const [header = '', payload = '', signature = ''] = token.split('.');
    const expected = Buffer.from(this.#sign(`${header}.${payload}`));
    const given = Buffer.from(signature);
    if (expected.length !== given.length || !timingSafeEqual(expected, given)) throw unauthorized('CompactToken validation failed.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(token, claims);
    return claims;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function unauthorized(message: string): GraphFailure {
  return new GraphFailure(401, 'InvalidAuthenticationToken', message, { 'WWW-Authenticate': 'Bearer realm="", authorization_uri="/common/oauth2/authorize"' });
}
