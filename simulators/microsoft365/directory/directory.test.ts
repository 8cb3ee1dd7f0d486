import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';

let client: TestClient;

beforeEach(async () => {
  client = await startTestClient({ mailboxes: 45, items: 10 });
});

afterEach(() => client.simulator.close());

const EVENTUAL = { headers: { consistencylevel: 'eventual' } };

test('users are licensed, shared, unlicensed and guests; without $select they show a few properties', async () => {
  const { entries } = await client.all('/users?$select=mail,accountEnabled,assignedLicenses,userType&$top=20');
  expect(new Set(entries.map(({ userType }) => userType))).toEqual(new Set(['Member', 'Guest']));
  expect(entries.filter(({ accountEnabled }) => !accountEnabled)).toHaveLength(4);
  expect(entries.filter(({ assignedLicenses }) => assignedLicenses.length > 0).length).toBe(41);
  expect(Object.keys((await client.get(client.me)).json)).not.toContain('assignedLicenses');
  expect((await client.get('/users?$top=1000')).status).toBe(400);
});

test('users are filtered by attributes; what needs the advanced query says so', async () => {
  const sales = await client.all("/users?$filter=department eq 'Sales'&$select=department");
  expect(sales.entries.length).toBeGreaterThan(0);
  expect(sales.entries.every(({ department }) => department === 'Sales')).toBe(true);
  const query = "/users?$filter=endswith(mail,'@contoso.example')";
  expect((await client.get(query)).json.error.code).toBe('Request_UnsupportedQuery');
  expect((await client.ask('GET', `${query}&$count=true`, EVENTUAL)).json['@odata.count']).toBeGreaterThan(45);
  const licensed = await client.all('/users?$filter=assignedLicenses/any(l:l/skuId eq 06ebc4ee-1bb5-47dd-8120-11324bc54e06)&$select=id');
  expect(licensed.entries).toHaveLength(41);
});

test('groups have members, nested ones are followed by transitiveMembers', async () => {
  const { entries } = await client.all('/groups?$select=id,displayName,groupTypes');
  const nested = entries.find(({ displayName }) => displayName === 'Departments');
  const direct = await client.all(`/groups/${nested.id}/members`);
  expect(new Set(direct.entries.map((member) => member['@odata.type']))).toEqual(new Set(['#microsoft.graph.group']));
  const transitive = await client.all(`/groups/${nested.id}/transitiveMembers?$select=id`);
  expect(transitive.entries.length).toBeGreaterThan(45);
  expect((await client.all(`/groups/${nested.id}/members/microsoft.graph.user`)).entries).toEqual([]);
});

test('a round over users, then only what changed; a deleted user is @removed, reason changed (fact 23)', async () => {
  const round = await client.all('/users/delta?$select=displayName,department');
  const { id } = round.entries.find(({ displayName }) => displayName !== undefined);
  await client.ask('PATCH', `/users/${id}`, { body: { department: 'Elsewhere' } });
  client.simulator.deleteUser(client.simulator.mailboxes[3] ?? '');
  const { entries } = await client.all(round.last['@odata.deltaLink']);
  expect(entries).toHaveLength(2);
  expect(entries[0]).toMatchObject({ id, department: 'Elsewhere' });
  expect(entries[1]).toEqual({ id: expect.any(String), '@removed': { reason: 'changed' } });
});

test('delta of directory objects takes $select and a filter by id, nothing else (fact 31); latest starts from now (fact 22)', async () => {
  for (const query of ['$top=5', '$orderby=displayName', '$expand=memberOf', "$filter=department eq 'Sales'"]) expect((await client.get(`/users/delta?${query}`)).status, query).toBe(400);
  const [user] = (await client.all('/users?$select=id')).entries;
  expect((await client.all(`/users/delta?$filter=id eq '${user.id}'`)).entries.map(({ id }) => id)).toEqual([user.id]);
  const latest = (await client.get('/users/delta?$deltatoken=latest')).json;
  expect(latest.value).toEqual([]);
  expect(latest['@odata.deltaLink']).toBeDefined();
});

test('members come as members@delta, split over entries of the same group; who left carries @removed (fact 31)', async () => {
  const round = await client.all('/groups/delta');
  const staff = round.entries.filter(({ displayName }) => displayName === 'All Staff');
  expect(staff.length).toBeGreaterThan(2);
  const members = staff.flatMap((entry) => entry['members@delta']);
  expect(new Set(members.map(({ id }) => id)).size).toBe((await client.all(`/groups/${staff[0].id}/members?$select=id`)).entries.length);
  await client.ask('DELETE', `/groups/${staff[0].id}/members/${members[0].id}/$ref`);
  const { entries } = await client.all(round.last['@odata.deltaLink']);
  expect(entries.flatMap((entry) => entry['members@delta'])).toContainEqual({ '@odata.type': '#microsoft.graph.user', id: members[0].id, '@removed': { reason: 'deleted' } });
});

test('a token of the directory lives seven days; then 410 with the address to start again (facts 24 and 25)', async () => {
  const { last } = await client.all('/users/delta?$select=id');
  client.simulator.advance(6 * 86_400_000);
  await client.signIn();
  const younger = await client.get(last['@odata.deltaLink']);
  expect(younger.status).toBe(200);
  client.simulator.advance(2 * 86_400_000);
  await client.signIn();
  const answer = await client.get(last['@odata.deltaLink']);
  expect(answer.status).toBe(410);
  expect(answer.headers.get('location')).toMatch(/\/users\/delta\?\$deltatoken=$/);
});

test('the organisation, its licences and a user\'s are told', async () => {
  expect((await client.get('/organization')).json.value[0]).toMatchObject({ id: client.simulator.tenant });
  expect((await client.get('/subscribedSkus')).json.value[0]).toMatchObject({ skuPartNumber: 'SPE_E5', consumedUnits: 41 });
  expect((await client.get(`${client.me}/licenseDetails`)).json.value).toHaveLength(1);
  expect((await client.get(`/users/${client.simulator.mailboxes[9] ?? ''}/licenseDetails`)).json.value, 'a shared mailbox').toEqual([]);
});

test('users are searched by words of a property; mail is not searched', async () => {
  const query = '/users?$search="displayName:la" OR "mail:mei"&$count=true&$select=displayName,mail&$top=2';
  expect((await client.get(query)).status, 'without ConsistencyLevel').toBe(400);
  const found: any[] = [];
  for (let next: string | undefined = query; next !== undefined;) {
    const { json } = await client.ask('GET', next, EVENTUAL);
    found.push(...json.value);
    next = json['@odata.nextLink'];
  }
  const all = (await client.all('/users?$select=displayName,mail')).entries;
  expect(found.map(({ mail }) => mail)).toEqual(all.filter(({ displayName, mail }) => /\bla/i.test(displayName) || /\bmei/i.test(mail)).map(({ mail }) => mail));
  expect(found.length).toBeGreaterThan(2);
  expect((await client.get(`${client.me}/messages?$search="x"`)).status).toBe(400);
});
