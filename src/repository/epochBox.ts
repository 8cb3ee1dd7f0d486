import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import type { RandomBytes } from '../runtime/index.ts';
import { KEY_LENGTH } from './accountKey.ts';
import { damaged } from './sealedObject.ts';
import { SealingKey } from './xaes.ts';

/** What stands before the 32 raw bytes in DER (RFC 8410). */
const PRIVATE = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b656e032100', 'hex');

/** The secret half of a slot's box: what others seal for the slot, only its own key opens. */
export function boxKey(raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE, raw]), format: 'der', type: 'pkcs8' });
}

/** The public half, 32 bytes. */
export function boxPublic(key: KeyObject): Buffer {
  return Buffer.from(createPublicKey(key).export({ format: 'der', type: 'spki' })).subarray(-KEY_LENGTH);
}

/**
 * Seals for the holder of a box: `ephemeral public key (32) ‖ sealed`. `common` is a key that all holders have: without it
 * not even breaking X25519 opens a box.
 */
export function sealBox(box: Uint8Array, common: Uint8Array, plain: Uint8Array, aad: string, random: RandomBytes): Buffer {
  const ephemeral = boxKey(random(KEY_LENGTH));
  const ours = boxPublic(ephemeral);
  const theirs = createPublicKey({ key: Buffer.concat([PUBLIC, box]), format: 'der', type: 'spki' });
  const shared = diffieHellman({ privateKey: ephemeral, publicKey: theirs });
  return Buffer.concat([ours, wrapKey(shared, common, ours, box).seal(random(24), plain, Buffer.from(aad))]);
}

/** Throws `repository/damaged` when it was sealed for another box, or changed. */
export function openBox(key: KeyObject, common: Uint8Array, boxed: Uint8Array, aad: string): Buffer {
  const theirs = boxed.subarray(0, KEY_LENGTH);
  return wrapKey(commonSecret(key, theirs, aad), common, theirs, boxPublic(key)).open(boxed.subarray(KEY_LENGTH), Buffer.from(aad));
}

function commonSecret(privateKey: KeyObject, theirs: Uint8Array, name: string): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey: createPublicKey({ key: Buffer.concat([PUBLIC, theirs]), format: 'der', type: 'spki' }) });
  } catch (error) {
    throw damaged(name, 'a box in it holds no public key', error);
  }
}

function wrapKey(shared: Uint8Array, common: Uint8Array, ephemeral: Uint8Array, box: Uint8Array): SealingKey {
  const info = Buffer.concat([Buffer.from('holdfast:epoch-box\0'), ephemeral, box]);
  return new SealingKey(new Uint8Array(hkdfSync('sha256', Buffer.concat([shared, common]), new Uint8Array(0), info, KEY_LENGTH)));
}
