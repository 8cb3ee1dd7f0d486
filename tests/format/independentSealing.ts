import { createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from 'node:crypto';

/** docs/format/keys.md, followed to the letter with node:crypto alone. Nothing here may be imported from src. */

/** 32 bytes for one purpose. */
export function derive(key: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), Buffer.from(`holdfast:${label}\0`), 32));
}

export function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function hmac(key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function encryptBlock(key: Uint8Array, block: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-ecb', key, null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

/** "Sealing", steps 1 to 4: the key of one message. */
function messageKey(key: Uint8Array, nonce: Uint8Array): Buffer {
  const l = BigInt(`0x${encryptBlock(key, Buffer.alloc(16)).toString('hex')}`);
  let k1 = (l << 1n) & ((1n << 128n) - 1n);
  if (l >> 127n === 1n) k1 ^= 0x87n;
  const half = (counter: number): Buffer => {
    const m = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)]);
    const mixed = BigInt(`0x${m.toString('hex')}`) ^ k1;
    return encryptBlock(key, Buffer.from(mixed.toString(16).padStart(32, '0'), 'hex'));
  };
  return Buffer.concat([half(1), half(2)]);
}

/** Throws when a bit of the bytes, the key or the additional data is another. Several keys, end to end, are tried in turn. */
export function unseal(keys: Uint8Array, sealed: Uint8Array, aad: string): Buffer {
  try {
    return unsealOne(keys.subarray(0, 32), sealed, aad);
  } catch (error) {
    if (keys.length <= 32) throw error;
    return unseal(keys.subarray(32), sealed, aad);
  }
}

function unsealOne(key: Uint8Array, sealed: Uint8Array, aad: string): Buffer {
  const nonce = sealed.subarray(0, 24);
  const decipher = createDecipheriv('aes-256-gcm', messageKey(key, nonce), nonce.subarray(12));
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  return Buffer.concat([decipher.update(sealed.subarray(24, sealed.length - 16)), decipher.final()]);
}

/** The key in the text of a key file. */
export function parseKeyFile(text: string): Buffer {
  const [, body, key, check] = /^((?:holdfast-key-1):([\w-]{43})):([\w-]{8})\n$/.exec(text) ?? [];
  if (body === undefined || key === undefined) throw new Error('no key file');
  if (sha256(Buffer.from(body)).toString('base64url').slice(0, 8) !== check) throw new Error('the key file was changed');
  return Buffer.from(key, 'base64url');
}

/** The key on a printed sheet. */
export function parsePrintedKey(text: string): Buffer {
  const symbols = [...text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')];
  const values = symbols.map((symbol) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(symbol));
  if (values.length !== 70 || values.includes(-1)) throw new Error('no recovery key');
  let number = 0n;
  for (let group = 0; group < 13; group++) {
    let check = group + 1;
    for (const value of values.slice(group * 5, group * 5 + 4)) {
      check = double(check) ^ value;
      number = number * 32n + BigInt(value);
    }
    if (double(check) !== values[group * 5 + 4]) throw new Error(`group ${group + 1} is wrong`);
  }
  if (number >> 256n !== 0n) throw new Error('a recovery key of another version');
  const key = Buffer.from(number.toString(16).padStart(64, '0'), 'hex');
  const whole = sha256(Buffer.from('holdfast-recovery-1:'), key).readUInt32BE(0) % 2 ** 25;
  const last = values.slice(65).reduce((sum, value) => sum * 32 + value, 0);
  if (last !== whole) throw new Error('the last group is wrong');
  return key;
}

/** Doubling in GF(32) with x^5 + x^2 + 1. */
function double(value: number): number {
  return value < 16 ? value * 2 : (value * 2) ^ 0b100101;
}

/** "Boxes": the raw private key of a slot, the key that all slots share, and `ephemeral ‖ sealed`. */
export function unbox(box: Uint8Array, common: Uint8Array, boxed: Buffer, aad: string): Buffer {
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), box]), format: 'der', type: 'pkcs8' });
  const own = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const ephemeral = boxed.subarray(0, 32);
  const publicKey = createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), ephemeral]), format: 'der', type: 'spki' });
  const shared = Buffer.concat([diffieHellman({ privateKey, publicKey }), common]);
  const info = Buffer.concat([Buffer.from('holdfast:epoch-box\0'), ephemeral, own]);
  return unseal(Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), info, 32)), boxed.subarray(32), aad);
}
