import { expect, test } from 'vitest';
import { addressOf, isOperator } from './requestChecks.ts';

const request = (headers: Record<string, string> = {}) => new Request('http://127.0.0.1/metrics', { headers });

test('an address is the peer\'s own, unless the peer is a proxy of the settings', () => {
  const proxies = new Set(['127.0.0.1', '10.0.0.1']);
  expect(addressOf('203.0.113.5', '198.51.100.7', proxies)).toBe('203.0.113.5');
  expect(addressOf('203.0.113.5', '198.51.100.7', new Set())).toBe('203.0.113.5');
  expect(addressOf('127.0.0.1', '198.51.100.7', proxies)).toBe('198.51.100.7');
  expect(addressOf('::ffff:127.0.0.1', '198.51.100.7', proxies)).toBe('198.51.100.7');
  // What a caller wrote before the first proxy does not count.
  expect(addressOf('127.0.0.1', '1.2.3.4, 198.51.100.7', proxies)).toBe('198.51.100.7');
  expect(addressOf('127.0.0.1', '1.2.3.4, 198.51.100.7, 10.0.0.1', proxies)).toBe('198.51.100.7');
  expect(addressOf('127.0.0.1', '2001:db8::1', proxies)).toBe('2001:db8::1');
  expect(addressOf('127.0.0.1', '<script>', proxies)).toBe('127.0.0.1');
  expect(addressOf('127.0.0.1', null, proxies)).toBe('127.0.0.1');
});

test('the machine itself is the operator, but not who comes through a proxy on it', () => {
  for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(isOperator(request(), peer, undefined, undefined)).toBe(true);
  for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) expect(isOperator(request({ [header]: 'x' }), '127.0.0.1', undefined, undefined)).toBe(false);
  for (const host of ['localhost:8080', '127.0.0.1', '[::1]:80']) expect(isOperator(request({ host }), '127.0.0.1', undefined, undefined)).toBe(true);
  for (const host of ['evil.example:8080', '127.0.0.1.evil.example', 'localhost.evil.example']) expect(isOperator(request({ host }), '127.0.0.1', undefined, undefined)).toBe(false);
  expect(isOperator(request(), '10.0.0.2', undefined, undefined)).toBe(false);
  expect(isOperator(request(), '10.0.0.2', 'the right token', 'the right token')).toBe(true);
  expect(isOperator(request(), '127.0.0.1', 'another token', 'the right token')).toBe(false);
  expect(isOperator(request(), '10.0.0.2', 'any', undefined)).toBe(false);
});
