import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSmtp } from '../../src/mail/index.ts';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { startOpenSmtpd, type MailServer } from '../servers/opensmtpd.ts';
import { PASSWORD, TestService } from './testService.ts';

const USERS = ['alice@example.test', 'bob@example.test', 'carol@example.test'];

let dovecot: Dovecot;
let smtp: MailServer;
let service: TestService;

beforeAll(async () => {
  dovecot = await startDovecot({ users: Object.fromEntries(USERS.map((user) => [user, 'pw'])), lmtp: true });
  smtp = await startOpenSmtpd(USERS, dovecot.lmtpPort);
  service = await TestService.start({
    roles: ['web', 'worker'], environment: { SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, HOLDFAST_MAIL_FROM: 'Holdfast <backup@holdfast.test>' },
  });
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await smtp.stop();
  await dovecot.stop();
});

async function mailsOf(user: string): Promise<Email[]> {
  const folder = join(dovecot.mailDirectory(user), 'new');
  const names = await readdir(folder).catch((): string[] => []);
  return Promise.all(names.toSorted().map(async (name) => PostalMime.parse(await readFile(join(folder, name)))));
}

async function mailed(user: string, count = 1): Promise<Email> {
  await expect.poll(async () => (await mailsOf(user)).length, { timeout: 30_000 }).toBe(count);
  return (await mailsOf(user)).at(-1)!;
}

async function signUp(email: string, name: string): Promise<void> {
  await service.person().must(202, 'POST', '/api/v1/accounts', { name, company: 'C', email, password: PASSWORD, location: 'local' });
}

async function row(email: string): Promise<{ state: string; attempts: number; body: Buffer | null; failure: string | null }> {
  const { rows } = await service.database.pool.query('select state, attempts, body, failure from outbox where recipient = $1 order by id desc limit 1', [email]);
  return rows[0] as Awaited<ReturnType<typeof row>>;
}

test('from signing up over the mailbox to signing in; the mail says all in text and in HTML', async () => {
  await signUp('alice@example.test', 'Ålice "A" Müller');
  const mail = await mailed('alice@example.test');
  expect(mail.from).toEqual({ name: 'Holdfast', address: 'backup@holdfast.test' });
  expect(mail.to).toEqual([{ name: '', address: 'alice@example.test' }]);
  expect(mail.subject).toBe('Confirm your e-mail address');
  expect(mail.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated');
  expect(mail.messageId).toMatch(/^<[0-9a-f]{32}@holdfast\.test>$/);
  const link = /^http:\S+$/m.exec(mail.text ?? '')?.[0] ?? '';
  expect(mail.html).toContain(`href="${link.replaceAll('&', '&amp;')}"`);
  for (const part of [mail.text, mail.html]) {
    // A name with quotes is none that is greeted by.
    expect(part).toContain('Hello,');
    expect(part).toContain('The link holds for 24 hours.');
  }
  expect(Math.max(...(mail.text ?? '').split('\n').filter((line) => !line.startsWith('http')).map((line) => line.length))).toBeLessThanOrEqual(76);
  const { pathname, search } = new URL(link);
  const person = service.person();
  expect((await person.must(303, 'GET', pathname + search)).location).toBe(`${service.url}/?activation=done`);
  await person.signIn('alice@example.test', PASSWORD);
  await expect.poll(() => row('alice@example.test')).toMatchObject({ state: 'sent', body: null });
  expect(service.lines.join('')).not.toContain('alice@');
});

test('an address that the server refuses is given up at once, and told without naming it', async () => {
  await signUp('nobody@example.test', 'Nobody');
  await expect.poll(() => row('nobody@example.test'), { timeout: 30_000 }).toMatchObject({ state: 'failed', attempts: 1, body: null });
  expect(service.log.find(({ event, code }) => event === 'mail not sent' && code === 'mail/refused')).toBeDefined();
  expect(service.lines.join('')).not.toContain('nobody@');
});

test('while the server is away mail waits, and goes out once when it is back', async () => {
  await smtp.end();
  await signUp('bob@example.test', 'Bob');
  await expect.poll(() => row('bob@example.test'), { timeout: 30_000 }).toMatchObject({ state: 'waiting', attempts: 1, failure: expect.stringContaining('could not be used') });
  await smtp.start();
  await service.database.pool.query('update outbox set next_at = now() where recipient = $1', ['bob@example.test']);
  // Rings, as every new mail does.
  await signUp('carol@example.test', 'Carol');
  const mail = await mailed('bob@example.test');
  expect(mail.text).toContain('Hello Bob,');
  await mailed('carol@example.test');
  expect((await mailsOf('bob@example.test')).length).toBe(1);
});

test('what is sent is in no outbox that can be read', async () => {
  const answer = await fetch(`${service.url}/api/v1/outbox`);
  expect(answer.status).toBe(404);
});

test('neither a password nor a mail goes to a server elsewhere that offers no TLS', async () => {
  // Of another machine, as far as the settings know.
  const transport = openSmtp({ host: '127.0.0.1', local: false, port: smtp.port, tls: 'starttls', user: 'u', password: 'secret-pw' }, 'a@holdfast.test');
  const mail = { id: 'm1', recipient: 'alice@example.test', subject: 'Secret', text: 'x', html: '<p>x</p>', date: new Date(0) };
  await expect(transport.send(mail)).rejects.toMatchObject({ code: 'mail/not-sent', retryClass: 'retry', message: expect.not.stringContaining('secret-pw'), data: { command: 'STARTTLS' } });
  transport.close();
});
