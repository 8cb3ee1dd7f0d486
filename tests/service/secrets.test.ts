import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMasterKey } from '../../src/server/index.ts';
import type { Person } from './person.ts';
import { nonce, TestService } from './testService.ts';
import { fromBase32, totp } from './totp.ts';

const PASSWORDS = { first: 'seven odd lanterns drift', second: 'nine slow harbours hum', third: 'two brass kettles sing', wrong: 'no such word of mine' };

let service: TestService;
/** What nobody may find anywhere, by what it is. */
const secrets = new Map<string, string>();
/** All that the service said to anybody but the owner of the secret: refusals and metrics. */
const told: string[] = [];

beforeAll(async () => {
  service = await TestService.start({ origin: 'embedded' });
  await liveOnce();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

/** Uses everything that has a secret, wrongly too. */
async function liveOnce(): Promise<void> {
  for (const [name, password] of Object.entries(PASSWORDS)) secrets.set(`password ${name}`, password);
  const owner = service.person();
  const email = `${nonce()}@example.test`;
  await owner.must(202, 'POST', '/api/v1/accounts', { name: 'Sam Secret', company: 'Sealed', email, password: PASSWORDS.first, location: 'local' });
  await keepLink('activation', email);
  await service.confirm(owner, email);
  await owner.signIn(email, PASSWORDS.first);
  keepCookies('first session', owner);
  await owner.must(202, 'POST', '/api/v1/password-resets', { email });
  const reset = await keepLink('reset', email);
  await refused(owner, 'PUT', `/api/v1/password-resets/${reset}`, { password: 'short' });
  await owner.must(204, 'PUT', `/api/v1/password-resets/${reset}`, { password: PASSWORDS.second });
  await refused(owner, 'PUT', `/api/v1/password-resets/${reset}`, { password: PASSWORDS.third });
  await refused(service.person(), 'POST', '/api/v1/session', { email, password: PASSWORDS.wrong });
  await refused(service.person(), 'POST', '/api/v1/session', { email, password: [PASSWORDS.wrong] });
  await owner.signIn(email, PASSWORDS.second);
  await secondFactor(owner);
  await owner.must(204, 'PUT', '/api/v1/profile/password', { current: PASSWORDS.second, password: PASSWORDS.third });
  keepCookies('last session', owner);
  const next = `${nonce()}@example.test`;
  await owner.must(202, 'PUT', '/api/v1/profile/email', { email: next, password: PASSWORDS.third });
  await keepLink('e-mail change', next);
  const invited = `${nonce()}@example.test`;
  await owner.must(201, 'POST', '/api/v1/users', { name: 'Ivo', email: invited, password: PASSWORDS.second, role: 'custom' });
  await keepLink('invitation', invited);
  const program = await owner.withToken('settings.view');
  secrets.set('token for programs', program.token ?? '');
  const keyed = await owner.must(201, 'POST', '/api/v1/tokens', { name: 'kept', scopes: ['settings.view'], days: 1 }, { headers: { 'idempotency-key': 'a-key-of-mine' } });
  secrets.set('token in an answer that is kept', String(keyed.body?.['token']));
  await refused(program, 'GET', '/api/v1/audit');
  await refused(service.person(), 'GET', `/api/v1/account?token=${program.token}`);
  keepKeys();
}

async function secondFactor(person: Person): Promise<void> {
  const { body } = await person.must(200, 'POST', '/api/v1/profile/two-factor', { password: PASSWORDS.second });
  const { secret, uri, recoveryCodes } = body as unknown as { secret: string; uri: string; recoveryCodes: string[] };
  secrets.set('secret of the app', secret).set('secret of the app, plain', fromBase32(secret).toString('latin1')).set('its address', uri);
  for (const [i, code] of recoveryCodes.entries()) secrets.set(`recovery code ${i}`, code);
  await refused(person, 'PUT', '/api/v1/profile/two-factor', { code: totp(secret, 9) });
  await person.must(204, 'PUT', '/api/v1/profile/two-factor', { code: totp(secret) });
}

async function keepLink(what: string, email: string): Promise<string> {
  const token = new URL(await service.mailedLink(email)).searchParams.get('token') ?? '';
  secrets.set(`link: ${what}`, token);
  return token;
}

/** Token and signature of it, each by itself. */
function keepCookies(what: string, { cookies }: Person): void {
  for (const [name, value] of cookies) for (const [i, part] of decodeURIComponent(value).split('.').entries()) secrets.set(`cookie ${name} of the ${what}, ${i}`, part);
}

function keepKeys(): void {
  const master = Buffer.from(readMasterKey(service.settings.service));
  const { signIn, audit, sealing } = service.context.keys;
  secrets.set('sign-in key', signIn);
  for (const [name, key] of Object.entries({ master, audit, sealing, signIn: Buffer.from(signIn, 'base64url') })) secrets.set(`${name} key`, key.toString('latin1'));
}

async function refused(person: Person, method: string, path: string, body?: unknown): Promise<void> {
  const { status, text } = await person.call(method, path, body);
  expect(status).toBeGreaterThanOrEqual(400);
  told.push(text);
}

/** Every way in which bytes are written down. */
function formsOf(secret: string): Buffer[] {
  const plain = [Buffer.from(secret, 'latin1')];
  const texts = plain.flatMap((bytes) => [bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  return [...plain, ...texts.map((text) => Buffer.from(text, 'latin1'))];
}

function found(bytes: Buffer): string[] {
  return [...secrets].filter(([, secret]) => formsOf(secret).some((form) => bytes.includes(form))).map(([name]) => name);
}

test('there is something to look for, and looking finds it', () => {
  expect(secrets.size).toBeGreaterThan(25);
  for (const [name, secret] of secrets) {
    expect(secret.length, name).toBeGreaterThanOrEqual(8);
    expect(found(Buffer.from(`before ${Buffer.from(secret, 'latin1').toString('base64url')} after`))).toContain(name);
  }
});

test('logs, refusals and metrics hold no secret, and nothing of people', async () => {
  const { text } = await service.person().must(200, 'GET', '/metrics', undefined, { headers: { 'x-forwarded-for': undefined } });
  const said = Buffer.from([...service.lines, ...told, text].join('\n'));
  expect(found(said)).toEqual([]);
  expect([...service.lines, text].join('\n')).not.toMatch(/@example\.test|Sam Secret/);
  expect(service.log.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a dump of the database holds no secret', async () => {
  const { pool } = service.database;
  const { rows } = await pool.query<{ name: string }>(`select table_name as name from information_schema.tables where table_schema = 'public'`);
  const dump: string[] = [];
  for (const { name } of rows) dump.push(...(await pool.query<{ row: string }>(`select t::text as row from "${name}" t`)).rows.map(({ row }) => row));
  expect(dump.join('\n')).toContain('Sam Secret');
  expect(found(Buffer.from(dump.join('\n')))).toEqual([]);
});

test('no file of the service holds one but the key file: not the tables, their log of changes, or what the server writes', async () => {
  await service.database.pool.query('checkpoint');
  const files = await readdir(service.folder, { recursive: true, withFileTypes: true });
  const finds: string[] = [];
  let bytes = 0;
  for (const file of files.filter((entry) => entry.isFile() && !entry.parentPath.includes('program-') && entry.name !== 'master.key')) {
    // The server may take a file away meanwhile.
    const content = await readFile(join(file.parentPath, file.name)).catch(() => Buffer.alloc(0));
    bytes += content.length;
    finds.push(...found(content).map((name) => `${name} in ${file.parentPath}/${file.name}`));
  }
  expect(bytes).toBeGreaterThan(10_000_000);
  expect(finds).toEqual([]);
});
