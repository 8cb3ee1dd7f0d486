import { createSign, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { startMicrosoft365 } from '../../../simulators/microsoft365/index.ts';
import { openSource, Tenant, type Microsoft365Settings } from './index.ts';
import { quickRuntime, TestTenant } from './testing/testTenant.ts';

const signal = new AbortController().signal;

/** A self-signed certificate and its key, both as PEM. */
function makeCertificate(): { certificate: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = (tag: number, parts: readonly Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    const size = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 255];
    return Buffer.concat([Buffer.from([tag, ...size]), content]);
  };
  const algorithm = der(0x30, [Buffer.from('06092a864886f70d01010b0500', 'hex')]);
  const name = der(0x30, [der(0x31, [der(0x30, [Buffer.from('0603550403', 'hex'), der(0x0c, [Buffer.from('test')])])])]);
  const validity = der(0x30, [der(0x17, [Buffer.from('200101000000Z')]), der(0x17, [Buffer.from('400101000000Z')])]);
  const body = der(0x30, [der(0x02, [Buffer.from([1])]), algorithm, name, validity, name, publicKey.export({ type: 'spki', format: 'der' })]);
  const raw = der(0x30, [body, algorithm, der(0x03, [Buffer.from([0]), createSign('sha256').update(body).sign(privateKey)])]);
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

test('signs in with a certificate: an assertion for each token, no secret', async () => {
  const { certificate, key } = makeCertificate();
  await using simulator = await startMicrosoft365({ mailboxes: 1, items: 30, certificate });
  const { tenant: name, clientId, graphUrl, loginUrl, mailboxes } = simulator;
  const tenant = new Tenant({ tenant: name, clientId, graphUrl, loginUrl, certificate: key + certificate }, quickRuntime());
  await tenant.signIn(signal);
  simulator.revokeTokens();
  // It refuses those of the same second, too.
  simulator.advance(1000);
  expect((await tenant.mailbox(mailboxes[0] ?? '', signal)).address).toBe(mailboxes[0]);
  expect(simulator.requests('oauth2')).toHaveLength(2);
});

test('a token is kept until shortly before it expires, and then renewed before anything is refused', async () => {
  let now = Date.now();
  const clock = { now: () => now, monotonic: () => now };
  await using tenant = await TestTenant.start({ runtime: { clock } });
  await tenant.tenant.mailbox(tenant.address, signal);
  now += 3_290_000;
  tenant.simulator.advance(3_290_000);
  await tenant.tenant.mailbox(tenant.address, signal);
  expect(tenant.simulator.requests('oauth2')).toHaveLength(1);
  now += 20_000;
  tenant.simulator.advance(20_000);
  await tenant.tenant.mailbox(tenant.address, signal);
  expect(tenant.simulator.requests('oauth2')).toHaveLength(2);
  expect(tenant.simulator.requests().filter(({ status }) => status === 401)).toEqual([]);
});

test('several who ask at once share one sign-in', async () => {
  await using tenant = await TestTenant.start();
  await Promise.all(Array.from({ length: 8 }, () => tenant.tenant.mailbox(tenant.address, signal)));
  expect(tenant.simulator.requests('oauth2')).toHaveLength(1);
});

interface Case {
  readonly name: string;
  readonly settings?: Partial<Microsoft365Settings>;
  readonly simulator?: { consented?: boolean };
  readonly address?: string;
  readonly code: string;
  readonly says: RegExp;
}

const CASES: readonly Case[] = [
  { name: 'wrong tenant', settings: { tenant: 'elsewhere.example' }, code: 'microsoft365/unknown-tenant', says: /no tenant "elsewhere.example".*Check/ },
  { name: 'unknown application', settings: { clientId: '00000000-0000-0000-0000-000000000000' }, code: 'microsoft365/unknown-application', says: /Check the id, or have an administrator/ },
  { name: 'wrong or expired secret', settings: { clientSecret: 'not the secret' }, code: 'microsoft365/wrong-secret', says: /Use the value of the secret/ },
  { name: 'no consent', simulator: { consented: false }, code: 'microsoft365/no-permission', says: /User\.Read\.All.*have an administrator give consent/ },
  { name: 'unknown mailbox', address: 'nobody@contoso.example', code: 'microsoft365/unknown-mailbox', says: /no user with the address "nobody@contoso.example"/ },
];

test.each(CASES)('bad input: $name', async ({ settings = {}, simulator = {}, address, code, says }) => {
  await using tenant = await TestTenant.start({ settings, ...simulator });
  const error: unknown = await tenant.source(address).then(() => undefined, (reason: unknown) => reason);
  expect(error).toMatchObject({ code, retryClass: 'input' });
  expect((error as Error).message).toMatch(says);
  expect((error as Error).message).not.toContain('not the secret');
});

test('bad input: a user without a mailbox', async () => {
  await using tenant = await TestTenant.start({ mailboxes: 3 });
  const { value } = await (await fetch(`${tenant.simulator.graphUrl}/v1.0/users?$select=id,mail,userType,assignedPlans`, {
    headers: { authorization: `Bearer ${await tokenOf(tenant)}` },
  })).json() as { value: { id: string; mail: string; userType: string; assignedPlans: unknown[] }[] };
  const without = value.find(({ userType, assignedPlans }) => userType === 'Member' && assignedPlans.length === 0);
  await expect(tenant.run(undefined, { address: without?.mail ?? '' })).rejects.toMatchObject({ code: 'microsoft365/no-mailbox', message: expect.stringMatching(/licence/) });
});

async function tokenOf({ simulator }: TestTenant): Promise<string> {
  const { loginUrl, tenant, clientId, clientSecret } = simulator;
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
  return ((await (await fetch(`${loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body })).json()) as { access_token: string }).access_token;
}

test.each([
  [{ clientSecret: '' }, /either a client secret or a certificate/], [{ certificate: 'x' }, /either a client secret or a certificate/],
  [{ tenant: 'common' }, /one tenant/], [{ tenant: '../x' }, /Give the tenant/], [{ clientId: 'my app' }, /client\) id/],
  [{ graphUrl: 'http://graph.example' }, /must begin with https/], [{ loginUrl: 'nonsense' }, /is no address/],
  [{ clientSecret: undefined, certificate: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----' }, /no private key/],
] as const)('settings that cannot work are refused before anything is sent: %j', async (wrong, says) => {
  const settings = { tenant: 'contoso.example', clientId: '11111111-2222-3333-4444-555555555555', clientSecret: 'x', ...wrong } as Microsoft365Settings;
  expect(() => new Tenant(settings, quickRuntime())).toThrow(says);
});

test('a tenant lists everybody who has a mailbox, shared ones too, and tells of each what it is', async () => {
  await using tenant = await TestTenant.start({ mailboxes: 20, items: 10 });
  const found = [];
  for await (const some of tenant.tenant.mailboxes(signal)) found.push(...some);
  expect(found.map(({ address }) => address).sort()).toEqual([...tenant.simulator.mailboxes].sort());
  expect(found.filter(({ kind }) => kind !== 'user')).toHaveLength(2);
  const [first] = found;
  expect(openSource(tenant.tenant, first!, 'both').entity).toEqual({ id: `exchange:${first?.userId}`, service: 'exchange', name: first?.address });
});
