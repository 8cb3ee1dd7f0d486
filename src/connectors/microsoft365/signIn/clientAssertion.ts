import { constants, createHash, createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../../../domain/index.ts';

/** Seconds that an assertion counts; Microsoft advises five to ten minutes. */
const LIFE = 300;

export interface ClientCertificate {
  readonly key: KeyObject;
  /** SHA-256 of the certificate, base64url. */
  readonly thumbprint: string;
  readonly validUntil: number;
}

/** Reads key and certificate from one PEM text. Throws 'microsoft365/certificate' (class input). */
export function readCertificate(pem: string): ClientCertificate {
  const [certificatePem] = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(pem) ?? [];
  if (certificatePem === undefined) throw wrong('The file has no certificate. It needs both in PEM form: the private key and the certificate.');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw wrong('The file has no private key. It needs both in PEM form: the private key and the certificate.');
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) throw wrong('The private key is protected by a passphrase. Give one without, in a file that only you can read.');
  const { key, certificate } = parse(pem, certificatePem);
  if (key.asymmetricKeyType !== 'rsa') throw wrong('The private key is not an RSA key, which Microsoft 365 asks for.');
  if (!certificate.checkPrivateKey(key)) throw wrong('The private key in the file is not that of the certificate.');
  return { key, thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'), validUntil: Date.parse(certificate.validTo) };
}

function parse(pem: string, certificatePem: string): { key: KeyObject; certificate: X509Certificate } {
  try {
    return { key: createPrivateKey(pem), certificate: new X509Certificate(certificatePem) };
  } catch {
    // What was thrown may quote the key.
    throw wrong('The private key or the certificate in the file cannot be read. It needs both in PEM form.');
  }
}

function wrong(message: string): HoldfastError {
  return new HoldfastError('microsoft365/certificate', 'input', message);
}

/** A signed statement that the application is who it says it is; each is used once. */
export function clientAssertion(certificate: ClientCertificate, clientId: string, audience: string, nowMs: number, id: string): string {
  const now = Math.floor(nowMs / 1000);
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': certificate.thumbprint };
  const claims = { aud: audience, iss: clientId, sub: clientId, jti: id, nbf: now, iat: now, exp: now + LIFE };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(text), {
    key: certificate.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
  return `${text}.${signature.toString('base64url')}`;
}
