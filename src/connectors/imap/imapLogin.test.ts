import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDovecot, type Dovecot } from '../../../tests/servers/dovecot.ts';
import { freePorts } from '../../../tests/servers/freePorts.ts';
import { HoldfastError } from '../../domain/index.ts';
import { openSource, type ImapSettings } from './index.ts';

const USER = 'ann@example.test';
const SECRET = 'correct horse "battery" staple\\';
const signal = new AbortController().signal;
let server: Dovecot;
let stranger: Dovecot;
let clear: Dovecot;

beforeAll(async () => {
  server = await startDovecot({ users: { [USER]: SECRET }, tokens: { 'good-token': USER }, maxUserIpConnections: 1 });
  stranger = await startDovecot({ users: { [USER]: SECRET } });
  clear = await startDovecot({ users: { [USER]: SECRET }, tls: false });
});
afterAll(async () => {
  await Promise.all([server, stranger, clear].map((one) => one.stop()));
});

function settings(more: Partial<ImapSettings> = {}): ImapSettings {
  const base = { host: 'localhost', port: server.tlsPort, user: USER, ca: server.ca };
  return { ...base, ...(more.token === undefined ? { password: SECRET } : {}), ...more };
}

async function open(given: ImapSettings): Promise<void> {
  await (await openSource(given, signal)).close();
}

async function refused(given: ImapSettings): Promise<HoldfastError> {
  const error: unknown = await open(given).then(() => undefined, (failure: unknown) => failure);
  if (!(error instanceof HoldfastError)) throw new Error(`not refused as it should be: ${inspect(error)}`);
  const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
  for (const secret of [given.password, given.token]) {
    if (typeof secret === 'string' && secret !== '') {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
    }
  }
  return error;
}

test('logs in with a password or a token, over TLS from the start, by STARTTLS, and in the clear when told to', async () => {
  await open(settings());
  await open(settings({ token: 'good-token' }));
  await open(settings({ token: async () => 'good-token' }));
  await open(settings({ tls: 'starttls', port: server.port }));
  await open(settings({ tls: 'off', port: server.port }));
  await open(settings({ host: '127.0.0.1' }));
});

test('a wrong password or token is for the person to change', async () => {
  expect(await refused(settings({ password: 'wrong password' }))).toMatchObject({ code: 'imap/auth-failed', retryClass: 'input' });
  expect(await refused(settings({ token: 'bad-token-value' }))).toMatchObject({ code: 'imap/auth-failed', retryClass: 'input' });
});

test('a certificate of an unknown authority is refused, also after STARTTLS', async () => {
  for (const tls of ['on', 'starttls'] as const) {
    const port = tls === 'on' ? server.tlsPort : server.port;
    expect(await refused(settings({ tls, port, ca: stranger.ca }))).toMatchObject({ code: 'imap/tls', retryClass: 'input' });
  }
});

test('clear text is never fallen back to', async () => {
  expect(await refused(settings({ port: clear.port, tls: 'starttls' }))).toMatchObject({ code: 'imap/tls' });
  expect(await refused(settings({ port: clear.port }))).toMatchObject({ code: 'imap/tls' });
});

test('wrong settings are told before anything is sent', async () => {
  for (const wrong of [{ host: '' }, { user: '' }, { connections: 0 }, { password: '' }]) {
    expect(await refused(settings(wrong))).toMatchObject({ code: 'imap/settings', retryClass: 'input' });
  }
});

test('nobody listening, and no such host', async () => {
  const [port = 1] = await freePorts(1);
  expect(await refused(settings({ port }))).toMatchObject({ code: 'imap/unavailable', retryClass: 'retry' });
  expect(await refused(settings({ host: 'no-such-host.invalid' }))).toMatchObject({ retryClass: expect.stringMatching(/input|retry/) as string });
});

test('a user whose connections are all taken is told what to do', async () => {
  const session = await openSource(settings(), signal);
  const error = await refused(settings());
  expect(error).toMatchObject({ code: 'imap/too-many-connections', retryClass: 'retry' });
  expect(error.message).toMatch(/fewer connections/);
  await session.close();
});
