import { constants, createHash, verify } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import type { App } from './apps.ts';

const MOST_LIFE_SECONDS = 600;

/**
 * Why a client assertion is refused, or undefined. Fact 99: a JWT signed PS256 with the certificate's SHA-256 thumbprint, or the older
 * RS256 with the SHA-1 one; its audience is this token address, its issuer and subject the client, its life at most ten minutes; no id twice.
 */
export function refusal(assertion: string, app: App, audiences: readonly string[], nowSeconds: number, used: Map<string, number>): string | undefined {
  const [head = '', body = '', signature = ''] = assertion.split('.');
  let header: Record<string, unknown>;
  let claims: Record<string, unknown>;
  try {
    header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
    claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  } catch (error) {
    return `AADSTS50027: JWT token is invalid or malformed: ${String(error)}`;
  }
  const certificate = app.certificates.find((candidate) => isNamed(header, candidate));
  if (certificate === undefined) return 'AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.';
  if (!isSigned(header, `${head}.${body}`, signature, certificate)) return 'AADSTS700027: Client assertion failed signature validation.';
  return claimRefusal(claims, app, audiences, nowSeconds, used);
}

function claimRefusal(
  claims: Record<string, unknown>, app: App, audiences: readonly string[], nowSeconds: number, used: Map<string, number>,
): string | undefined {
  const { aud, iss, sub, jti, nbf, exp } = claims;
  if (typeof aud !== 'string' || !audiences.includes(aud)) return 'AADSTS700023: Client assertion audience claim does not match Realm issuer.';
  if (iss !== app.id || sub !== app.id) return 'AADSTS700021: Client assertion application identifier does not match client_id parameter.';
  if (typeof exp !== 'number' || typeof nbf !== 'number') return 'AADSTS50027: The assertion lacks exp or nbf.';
  if (exp <= nowSeconds || nbf > nowSeconds + 300) return 'AADSTS700024: Client assertion is not within its valid time range.';
  if (exp - nbf > MOST_LIFE_SECONDS) return 'AADSTS700024: The life of a client assertion is ten minutes at most.';
  if (typeof jti !== 'string' || jti === '') return 'AADSTS50027: The assertion lacks jti.';
  for (const [id, until] of used) if (until <= nowSeconds) used.delete(id);
  if (used.has(jti)) return 'AADSTS700025: This client assertion was used before.';
  used.set(jti, exp);
  return undefined;
}

function isNamed(header: Record<string, unknown>, certificate: X509Certificate): boolean {
  const print = (name: string): string => createHash(name).update(certificate.raw).digest('base64url');
  return header['x5t#S256'] === print('sha256') || (header['x5t#S256'] === undefined && header['x5t'] === print('sha1'));
}

function isSigned(header: Record<string, unknown>, text: string, signature: string, certificate: X509Certificate): boolean {
  if (header['alg'] !== 'PS256' && header['alg'] !== 'RS256') return false;
  const padding = header['alg'] === 'PS256'
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { padding: constants.RSA_PKCS1_PADDING };
  return verify('sha256', Buffer.from(text), { key: certificate.publicKey, ...padding }, Buffer.from(signature, 'base64url'));
}
