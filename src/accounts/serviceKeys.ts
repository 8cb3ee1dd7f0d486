import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Keys for the control plane, each its own, all from the master key. */
export interface ServiceKeys {
  /** Signs cookies and links. */
  readonly signIn: string;
  /** Chains the audit log: without it no entry can be made up. */
  readonly audit: Buffer;
  /** Seals what the database must not show to who reads it. */
  readonly sealing: Buffer;
  /** Digests of requests that may hold passwords. */
  readonly requests: Buffer;
  /** Tells keys apart and gives nothing of them away. */
  readonly fingerprint: string;
}

/** The same keys from the same master key, always. */
export function deriveServiceKeys(masterKey: Uint8Array): ServiceKeys {
  const derive = (label: string): Buffer => Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), `holdfast service ${label}`, KEY_BYTES));
  return {
    signIn: derive('sign-in').toString('base64url'), audit: derive('audit'), sealing: derive('sealing'), requests: derive('requests'), fingerprint: derive('fingerprint').toString('hex'),
  };
}

/** `purpose` is bound in: what was sealed for one is not opened for another. */
export function seal({ sealing }: ServiceKeys, purpose: string, text: string, random: RandomBytes): Buffer {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(purpose));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]);
}

/** Opens what {@link seal} made. Errors: `accounts/wrong-master-key`. */
export function unseal({ sealing }: ServiceKeys, purpose: string, sealed: Buffer): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealing, sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(purpose));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
    return text.toString('utf8');
  } catch (cause) {
    throw new HoldfastError('accounts/wrong-master-key', 'input',
      'What is sealed in the database does not open with this master key. Give the key that the service was started with first (HOLDFAST_MASTER_KEY_FILE).', { cause });
  }
}
