import { createHash, createSign, generateKeyPairSync, sign as signWith, constants } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A self-signed certificate with its key, as an administrator would upload one. */
export function makeTestCertificate(): { pem: string; key: KeyObject; thumbprint256: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const algorithm = der(0x30, [Buffer.from('06092a864886f70d01010b0500', 'hex')]);
  const name = der(0x30, [der(0x31, [der(0x30, [Buffer.from('0603550403', 'hex'), der(0x0c, [Buffer.from('test')])])])]);
  const validity = der(0x30, [der(0x17, [Buffer.from('200101000000Z')]), der(0x17, [Buffer.from('400101000000Z')])]);
  const body = der(0x30, [der(0x02, [Buffer.from([1])]), algorithm, name, validity, name, publicKey.export({ type: 'spki', format: 'der' })]);
  const signature = createSign('sha256').update(body).sign(privateKey);
  const raw = der(0x30, [body, algorithm, der(0x03, [Buffer.from([0]), signature])]);
  const pem = `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  return { pem, key: privateKey, thumbprint256: createHash('sha256').update(raw).digest('base64url') };
}

/** A client assertion as fact 99 wants it; `changes` make it wrong. */
export function makeAssertion(
  certificate: ReturnType<typeof makeTestCertificate>, clientId: string, audience: string, now: number, changes: Readonly<Record<string, unknown>> = {},
): string {
  const seconds = Math.floor(now / 1000);
  const claims = { aud: audience, iss: clientId, sub: clientId, jti: `${now} ${JSON.stringify(changes)}`, nbf: seconds, iat: seconds, exp: seconds + 300, ...changes };
  const text = [{ alg: 'PS256', typ: 'JWT', 'x5t#S256': certificate.thumbprint256 }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = signWith('sha256', Buffer.from(text), { key: certificate.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
  return `${text}.${signature.toString('base64url')}`;
}

function der(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
