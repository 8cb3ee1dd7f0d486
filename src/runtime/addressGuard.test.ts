import { expect, test } from 'vitest';
import { addressGuard } from './addressGuard.ts';

const never = new AbortController().signal;

test.each([
  '127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.1.1', '172.31.255.255', '100.64.0.1', '0.0.0.0', '255.255.255.255', '224.0.0.1',
  '::1', '::', '[::1]', 'fe80::1', 'fd00::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', 'localhost', '127.1', '2130706433', '0x7f.0.0.1',
])('%s is not reached', async (host) => {
  await expect(addressGuard([]).resolve(host, never)).rejects.toMatchObject({ code: expect.stringMatching(/^network\/(private-address|unknown-host)$/) });
});

test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700:4700::1111', '[2a00:1450::1]'])('%s is', async (host) => {
  expect(await addressGuard([]).resolve(host, never)).toBe(host.replaceAll(/[[\]]/g, ''));
});

test('what the operator has opened is reached, and no more', async () => {
  const guard = addressGuard(['127.0.0.0/8', 'fd00::/8']);
  expect(await guard.resolve('127.0.0.1', never)).toBe('127.0.0.1');
  expect(await guard.resolve('fd00::7', never)).toBe('fd00::7');
  await expect(guard.resolve('10.0.0.1', never)).rejects.toMatchObject({ code: 'network/private-address' });
  expect([guard.isOpened('127.0.0.9'), guard.isOpened('1.1.1.1')]).toEqual([true, false]);
  for (const bad of ['127.0.0.1', '10.0.0.0/33', 'x/8', '10.0.0.0/']) expect(() => addressGuard([bad])).toThrow(/HOLDFAST_OPEN_NETWORKS/);
});

test('an abort ends the wait', async () => {
  await expect(addressGuard([]).resolve('localhost', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});
