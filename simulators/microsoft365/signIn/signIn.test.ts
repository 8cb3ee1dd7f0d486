import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestAnswer, TestClient } from '../testClient.ts';
import { makeAssertion, makeTestCertificate } from './testCertificate.ts';

const certificate = makeTestCertificate();
let client: TestClient;

beforeEach(async () => {
  client = await startTestClient({ certificate: certificate.pem, redirectUris: ['http://127.0.0.1/done'] });
});

afterEach(() => client.simulator.close());

function token(changes: Record<string, string | undefined>, tenant = client.simulator.tenant): Promise<TestAnswer> {
  const { clientId, clientSecret, loginUrl } = client.simulator;
  const fields = { client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default', ...changes };
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  return client.ask('POST', `${loginUrl}/${tenant}/oauth2/v2.0/token`, { body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
}

test('a secret gives a bearer token of 3599 seconds without a refresh token, whose roles are the permissions (fact 98)', async () => {
  const { status, json } = await token({});
  expect(status).toBe(200);
  expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 3599 });
  expect(json).not.toHaveProperty('refresh_token');
  const claims = JSON.parse(Buffer.from(json.access_token.split('.')[1], 'base64url').toString());
  expect(claims.roles).toContain('Mail.ReadWrite');
});

test.each([
  ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
  ['no secret', { client_secret: undefined }, 401, 'invalid_client'],
  ['an unknown application', { client_id: 'unknown' }, 400, 'unauthorized_client'],
  ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ['a scope without .default', { scope: 'Mail.Read' }, 400, 'invalid_scope'],
])('%s is refused', async (_, changes, status, error) => {
  const answer = await token(changes);
  expect(answer.status).toBe(status);
  expect(answer.json).toMatchObject({ error });
  expect(answer.json.error_description).toMatch(/^AADSTS\d+: /);
});

test('a tenant that is not there is refused', async () => {
  expect((await token({}, 'elsewhere.example')).status).toBe(400);
});

test('an assertion signed with the certificate gives a token once (fact 99)', async () => {
  const { clientId, loginUrl, tenant } = client.simulator;
  const assertion = makeAssertion(certificate, clientId, `${loginUrl}/${tenant}/oauth2/v2.0/token`, client.simulator.now());
  const fields = { client_secret: undefined, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion };
  expect((await token(fields)).status).toBe(200);
  const again = await token(fields);
  expect(again.status).toBe(401);
  expect(again.json.error_description).toContain('used before');
});

test.each([
  ['another audience', { aud: 'https://elsewhere.example' }],
  ['another issuer', { iss: 'somebody' }],
  ['a life of more than ten minutes', { exp: 9_999_999_999 }],
  ['its time over', { exp: 1000, nbf: 900 }],
  ['no id', { jti: undefined }],
])('an assertion with %s is refused (fact 99)', async (_, changes) => {
  const { clientId, loginUrl, tenant } = client.simulator;
  const assertion = makeAssertion(certificate, clientId, `${loginUrl}/${tenant}/oauth2/v2.0/token`, client.simulator.now(), changes);
  const answer = await token({ client_secret: undefined, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion });
  expect(answer.status).toBe(401);
});

test('an assertion signed with another key is refused', async () => {
  const { clientId, loginUrl, tenant } = client.simulator;
  const other = { ...makeTestCertificate(), thumbprint256: certificate.thumbprint256 };
  const assertion = makeAssertion(other, clientId, `${loginUrl}/${tenant}/oauth2/v2.0/token`, client.simulator.now());
  const answer = await token({ client_secret: undefined, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion });
  expect(answer.json.error_description).toContain('signature');
});

test('a token is refused when it is expired, revoked, forged or missing', async () => {
  expect((await client.get('/users')).status).toBe(200);
  client.simulator.advance(3_600_000);
  expect((await client.get('/users')).json.error.code).toBe('InvalidAuthenticationToken');
  await client.signIn();
  expect((await client.get('/users')).status).toBe(200);
  client.simulator.revokeTokens();
  expect((await client.get('/users')).status).toBe(401);
  client.simulator.advance(1000);
  await client.signIn();
  expect((await client.get('/users')).status).toBe(200);
  expect((await client.ask('GET', '/users', { headers: { authorization: 'Bearer a.b.c' } })).status).toBe(401);
  expect((await client.ask('GET', '/users', { headers: { authorization: '' } })).status).toBe(401);
});

test('consent is a page, and leads back with tenant and admin_consent (fact 97)', async () => {
  await client.simulator.close();
  client = await startTestClient({ consented: false, redirectUris: ['http://127.0.0.1/done'] });
  expect((await client.get('/users')).status).toBe(403);
  const { loginUrl, clientId, tenant } = client.simulator;
  const address = `${loginUrl}/organizations/adminconsent?client_id=${clientId}&state=17&redirect_uri=${encodeURIComponent('http://127.0.0.1/done')}`;
  const page = await client.ask('GET', address);
  expect(page.status).toBe(200);
  expect(page.bytes.toString()).toContain('Mail.ReadWrite');
  const refused = await client.ask('GET', `${address}&decision=cancel`);
  expect(new URL(refused.headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied');
  const accepted = await client.ask('GET', `${address}&decision=accept`);
  expect(accepted.status).toBe(302);
  expect(Object.fromEntries(new URL(accepted.headers.get('location') ?? '').searchParams)).toEqual({ state: '17', admin_consent: 'True', tenant });
  await client.signIn();
  expect((await client.get('/users')).status).toBe(200);
  expect((await client.ask('GET', `${loginUrl}/common/adminconsent?client_id=${clientId}&redirect_uri=http://evil.example`)).status).toBe(400);
});

test('a call without its application permission is 403, also when it is withdrawn in mid-run', async () => {
  expect((await client.get(`${client.me}/messages`)).status).toBe(200);
  client.simulator.withdrawPermission('Mail.Read');
  client.simulator.withdrawPermission('Mail.ReadWrite');
  const answer = await client.get(`${client.me}/messages`);
  expect(answer.status).toBe(403);
  expect(answer.json.error.code).toBe('ErrorAccessDenied');
  client.simulator.grantPermission('Mail.ReadBasic.All');
  expect((await client.get(`${client.me}/messages`)).status, 'a token holds the permissions of its day').toBe(403);
  await client.signIn();
  const basic = await client.get(`${client.me}/messages?$top=1`);
  expect(basic.status).toBe(200);
  expect(basic.json.value[0]).not.toHaveProperty('body');
  expect(basic.json.value[0]).toHaveProperty('subject');
});

test('the log has every request and no token', async () => {
  await client.get(`${client.me}/messages?$top=1`);
  const [entry] = client.simulator.requests('/users/{user-id}/messages');
  expect(entry).toMatchObject({ method: 'GET', route: '/users/{user-id}/messages', status: 200 });
  expect(entry?.responseBytes).toBeGreaterThan(100);
  expect(JSON.stringify(client.simulator.requests())).not.toContain('Bearer');
});
