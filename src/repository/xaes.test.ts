import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isHoldfastError } from '../domain/index.ts';
import { SEAL_OVERHEAD, SealingKey } from './xaes.ts';

const NONCE = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
const TEXT = Buffer.from('XAES-256-GCM');

test.each([
  // The vectors of the specification, whose keys take both branches of the doubling.
  [1, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
  [3, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
])('seals as the specification says (key %i)', (byte, aad, expected) => {
  const sealed = new SealingKey(Buffer.alloc(32, byte)).seal(NONCE, TEXT, Buffer.from(aad));
  expect(sealed.toString('hex')).toBe(NONCE.toString('hex') + expected);
});

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

test('opens what it sealed, and nothing else', () => {
  const message = fc.record({
    key: bytes(32),
    nonce: bytes(24),
    text: fc.uint8Array({ maxLength: 300 }),
    aad: fc.uint8Array({ maxLength: 40 }),
    flip: fc.nat(),
  });
  fc.assert(
    fc.property(message, ({ key, nonce, text, aad, flip }) => {
      const sealing = new SealingKey(key);
      const sealed = sealing.seal(nonce, text, aad);
      expect(sealed.length).toBe(text.length + SEAL_OVERHEAD);
      expect(sealing.open(sealed, aad)).toEqual(Buffer.from(text));

      const touched = Buffer.from(sealed);
      touched[flip % touched.length]! ^= 1 << flip % 8;
      expect(damage(() => sealing.open(touched, aad))).toBe('repository/damaged');
      expect(damage(() => sealing.open(sealed.subarray(0, flip % sealed.length), aad))).toBe('repository/damaged');
      expect(damage(() => sealing.open(sealed, Buffer.concat([aad, Buffer.of(0)])))).toBe('repository/damaged');
      const other = Buffer.from(key);
      other[flip % 32]! ^= 1;
      expect(damage(() => new SealingKey(other).open(sealed, aad))).toBe('repository/damaged');
    }),
  );
});

test('seals into the middle of a larger buffer, and touches nothing around it', () => {
  const key = new SealingKey(Buffer.alloc(32, 7));
  const target = Buffer.alloc(200, 0xee);
  const written = key.sealInto(NONCE, TEXT, Buffer.of(1), target, 50);
  expect(written).toBe(TEXT.length + SEAL_OVERHEAD);
  expect(target.subarray(50, 50 + written)).toEqual(key.seal(NONCE, TEXT, Buffer.of(1)));
  const around = Buffer.concat([target.subarray(0, 50), target.subarray(50 + written)]);
  expect(around).toEqual(Buffer.alloc(around.length, 0xee));
});

test('refuses keys and nonces of another length', () => {
  expect(() => new SealingKey(Buffer.alloc(16))).toThrow(RangeError);
  expect(() => new SealingKey(Buffer.alloc(32)).seal(Buffer.alloc(12), TEXT)).toThrow(RangeError);
});

function damage(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (isHoldfastError(error)) return error.code;
    throw error;
  }
  return 'opened';
}
