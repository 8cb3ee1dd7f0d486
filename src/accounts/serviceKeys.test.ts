import { expect, test } from 'vitest';
import { systemRandom } from '../runtime/index.ts';
import { deriveServiceKeys, seal, unseal } from './serviceKeys.ts';

const keys = deriveServiceKeys(Buffer.alloc(32, 1));

test('what is sealed opens with the same key for the same purpose alone', () => {
  const sealed = seal(keys, 'outbox 1', 'a link', systemRandom);
  expect(unseal(keys, 'outbox 1', sealed)).toBe('a link');
  expect(sealed.includes('a link')).toBe(false);
  expect(seal(keys, 'outbox 1', 'a link', systemRandom).equals(sealed)).toBe(false);
  const wrong = expect.objectContaining({ code: 'accounts/wrong-master-key' });
  expect(() => unseal(keys, 'outbox 2', sealed)).toThrow(wrong);
  expect(() => unseal(deriveServiceKeys(Buffer.alloc(32, 2)), 'outbox 1', sealed)).toThrow(wrong);
  sealed[sealed.length - 1]! ^= 1;
  expect(() => unseal(keys, 'outbox 1', sealed)).toThrow(wrong);
  expect(() => unseal(keys, 'outbox 1', Buffer.alloc(3))).toThrow(wrong);
});

test('each key is its own, and the fingerprint is none of them', () => {
  const all = [keys.signIn, keys.audit.toString('hex'), keys.sealing.toString('hex'), keys.requests.toString('hex'), keys.fingerprint];
  expect(new Set(all).size).toBe(5);
});
