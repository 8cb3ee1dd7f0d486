import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import type { Cipheriv, KeyObject } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';
import { freeBuffer } from '../runtime/index.ts';

export const NONCE_LENGTH = 24;
export const TAG_LENGTH = 16;
/** Bytes that sealing adds to a plaintext. */
export const SEAL_OVERHEAD = NONCE_LENGTH + TAG_LENGTH;

const KEY_LENGTH = 32;
const BLOCK = 16;
const NO_AAD = new Uint8Array(0);

/**
 * A 32-byte key of XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM with 24-byte random nonces, safe for
 * 2^80 messages a key. A sealed message is `nonce (24) || ciphertext || tag (16)`.
 * Or several keys, end to end: the first one seals, and messages of each of them are opened.
 */
export class SealingKey {
  /** ECB has no state between whole blocks, so one cipher serves every message and is never finished. */
  readonly #block: Cipheriv;
  /** The two constant blocks of the derivation, mixed with K1; each message mixes in half of its nonce. */
  readonly #masks: Buffer;
  readonly #blocks = Buffer.alloc(2 * BLOCK);

  readonly #next: SealingKey | undefined;

  constructor(keys: Uint8Array) {
    if (keys.length === 0 || keys.length % KEY_LENGTH !== 0) {
      throw new RangeError(`a sealing key has ${KEY_LENGTH} bytes, not ${keys.length}`);
    }
    this.#block = createCipheriv('aes-256-ecb', keys.subarray(0, KEY_LENGTH), null).setAutoPadding(false);
    this.#masks = derivationMasks(this.#block.update(Buffer.alloc(BLOCK)));
    this.#next = keys.length > KEY_LENGTH ? new SealingKey(keys.subarray(KEY_LENGTH)) : undefined;
  }

  /** Whether it opens what was sealed with other keys, too. */
  get several(): boolean { return this.#next !== undefined; }

  /** `nonce` is 24 bytes that come from the source of randomness, never used before with this key. */
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array = NO_AAD): Buffer {
    const sealed = Buffer.allocUnsafeSlow(plaintext.length + SEAL_OVERHEAD);
    this.sealInto(nonce, plaintext, aad, sealed, 0);
    return sealed;
  }

  /** As {@link seal}, into `target` at `offset`. Returns the number of bytes written: plaintext + SEAL_OVERHEAD. */
  sealInto(nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array, target: Uint8Array, offset: number): number {
    if (nonce.length !== NONCE_LENGTH) throw new RangeError(`a nonce has ${NONCE_LENGTH} bytes, not ${nonce.length}`);
    const cipher = createCipheriv('aes-256-gcm', this.#messageKey(nonce), nonce.subarray(12));
    if (aad.length > 0) cipher.setAAD(aad);
    target.set(nonce, offset);
    const ciphertext = cipher.update(plaintext);
    target.set(ciphertext, offset + NONCE_LENGTH);
    freeBuffer(ciphertext);
    cipher.final();
    target.set(cipher.getAuthTag(), offset + NONCE_LENGTH + plaintext.length);
    return plaintext.length + SEAL_OVERHEAD;
  }

  /** The plaintext, in its own buffer. Throws `repository/damaged` when bytes, key or `aad` are not those sealed. */
  open(sealed: Uint8Array, aad: Uint8Array = NO_AAD): Buffer {
    if (sealed.length < SEAL_OVERHEAD) throw damaged(sealed.length);
    const tagAt = sealed.length - TAG_LENGTH;
    const key = this.#messageKey(sealed.subarray(0, NONCE_LENGTH));
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(12, NONCE_LENGTH));
    decipher.setAuthTag(sealed.subarray(tagAt));
    if (aad.length > 0) decipher.setAAD(aad);
    const plaintext = decipher.update(sealed.subarray(NONCE_LENGTH, tagAt));
    try {
      decipher.final();
    } catch (cause) {
      if (this.#next) return this.#next.open(sealed, aad);
      throw damaged(sealed.length, cause);
    }
    return plaintext;
  }

  /** As a key object: Node throws and catches an error for each key that comes as bytes, which costs more than the cipher's start. */
  #messageKey(nonce: Uint8Array): KeyObject {
    const blocks = this.#blocks;
    blocks.set(this.#masks);
    for (let i = 0; i < 12; i++) {
      const byte = nonce[i] ?? 0;
      blocks[4 + i] = (blocks[4 + i] ?? 0) ^ byte;
      blocks[BLOCK + 4 + i] = (blocks[BLOCK + 4 + i] ?? 0) ^ byte;
    }
    return createSecretKey(this.#block.update(blocks));
  }
}

/** CMAC's K1 (the encrypted zero block, doubled in GF(2^128)) mixed with `00 01 'X' 00` and `00 02 'X' 00`. */
function derivationMasks(encryptedZero: Buffer): Buffer {
  const masks = Buffer.alloc(2 * BLOCK);
  for (let i = 0; i < BLOCK; i++) {
    const doubled = ((encryptedZero[i] ?? 0) << 1) | ((encryptedZero[i + 1] ?? 0) >> 7);
    masks[i] = masks[BLOCK + i] = doubled;
  }
  const carry = ((encryptedZero[0] ?? 0) >> 7) * 0x87;
  for (const [at, counter] of [[0, 1], [BLOCK, 2]] as const) {
    masks.writeUInt8(masks.readUInt8(at + 15) ^ carry, at + 15);
    masks.writeUInt8(masks.readUInt8(at + 1) ^ counter, at + 1);
    masks.writeUInt8(masks.readUInt8(at + 2) ^ 0x58, at + 2);
  }
  return masks;
}

function damaged(length: number, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'repository/damaged',
    'never',
    'A sealed part of the repository is damaged or was sealed with another key. Run a check to see what it holds.',
    { data: { bytes: length }, cause },
  );
}
