import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allRoutes } from '../routes.ts';
import { startTestClient } from '../testClient.ts';
import type { TestClient } from '../testClient.ts';
import { REFUSED_EXAMPLES, ROUTES_NOT_IN_DOCUMENT, ROUTES_WITHOUT_PERMISSION_ROW } from './deviations.ts';
import { EXAMPLES, IS_AVAILABLE, NOT_AVAILABLE, operationOf } from './testOpenApi.ts';

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

test('every route is one of the document, but for the deviations', (context) => {
  if (!IS_AVAILABLE) return context.skip(NOT_AVAILABLE);
  const missing = allRoutes().filter(({ method, path }) => operationOf(method, path) === undefined).map(nameOf);
  expect(missing.toSorted()).toEqual(Object.keys(ROUTES_NOT_IN_DOCUMENT).toSorted());
});

test('every route asks for a permission of the table; a writing one where the table has the reading one of its kind', (context) => {
  if (!IS_AVAILABLE) return context.skip(NOT_AVAILABLE);
  const without: string[] = [];
  for (const route of allRoutes()) {
    const allowed = operationOf(route.method, route.path)?.['x-ms-permissions']?.Application?.allowed;
    if (allowed === undefined) without.push(nameOf(route));
    else for (const permission of route.permissions) expect([...allowed, ...allowed.map((name) => name.replace('.Read', '.ReadWrite'))], nameOf(route)).toContain(permission);
  }
  expect(without.toSorted()).toEqual([...Object.keys(ROUTES_NOT_IN_DOCUMENT), ...Object.keys(ROUTES_WITHOUT_PERMISSION_ROW)].toSorted());
});

interface Example {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly url: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
}

test('the documented examples of these routes are taken, but for the deviations', async (context) => {
  if (!IS_AVAILABLE) return context.skip(NOT_AVAILABLE);
  const known = new Set(allRoutes().map(nameOf));
  const examples = readFileSync(EXAMPLES, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Example).filter((example) => known.has(nameOf(example)));
  expect(examples.length).toBeGreaterThan(50);
  const refused: Record<string, string> = {};
  await using client = await startTestClient({ items: 60, mailboxes: 20 });
  for (const example of examples) {
    const outcome = await replay(client, example).catch((error: unknown) => String(error));
    if (outcome !== undefined) refused[example.name] = outcome;
  }
  expect(Object.keys(refused).toSorted(), JSON.stringify(refused, undefined, 1)).toEqual(Object.keys(REFUSED_EXAMPLES).toSorted());
});

/** Sends an example with its ids replaced by such as there are; undefined where it is taken. */
async function replay(client: TestClient, example: Example): Promise<string | undefined> {
  // Who is deleted by an example is somebody else.
  const user = example.method === 'DELETE' && example.path === '/users/{user-id}' ? `/users/${client.simulator.mailboxes.filter((address) => !client.simulator.requests('DELETE').some(({ url }) => url.includes(address))).at(-1) ?? ''}` : client.me;
  const ids: Record<string, string> = {};
  let path = '';
  for (const segment of example.path.split('/').slice(1)) {
    const name = /^\{(.+)\}$/.exec(segment)?.[1];
    if (name === 'user-id') path = user;
    else path += `/${name === undefined ? segment : ids[name] = example.path.includes('/messageRules') && name === 'mailFolder-id' ? 'inbox' : await makeId(client, name, path)}`;
  }
  const query = (example.url.split('?')[1] ?? '').replace(/\{start_datetime\}/g, '2026-06-01T00:00:00Z').replace(/\{end_datetime\}/g, '2026-07-01T00:00:00Z').replace(/\{(?![0-9a-f-]{36}\})[^}]*\}/gi, 'x');
  const headers = Object.fromEntries(Object.entries(example.requestHeaders).map(([name, value]) => [name.toLowerCase(), value]));
  const body = await fill(client, example);
  const answer = await client.ask(example.method, `${path}${query === '' ? '' : `?${query}`}`, { headers, ...(body === undefined ? {} : { body }) });
  return answer.status < 300 ? undefined : `${example.method} ${path}?${query}: ${answer.status} ${JSON.stringify(answer.json?.error)}`;
}

async function fill(client: TestClient, { method, requestBody }: Example): Promise<unknown> {
  if (method === 'GET' || requestBody === null || (typeof requestBody === 'string' && requestBody.startsWith('Prefer'))) return undefined;
  const member = (await client.all('/users?$select=id')).entries.at(-1).id;
  const filled = JSON.parse(JSON.stringify(requestBody).replace(/("[Dd]estinationId":\s*)"[^"]*"/, '$1"archive"').replace(/directoryObjects\/[^"]+/, `directoryObjects/${member}`));
  // Examples make the same user more than once.
  return filled.userPrincipalName === undefined ? filled : { ...filled, userPrincipalName: `user${client.simulator.log.total}@contoso.example` };
}

const START = { dateTime: '2027-03-01T10:00:00', timeZone: 'UTC' };
/** Bodies that make something of which an example can speak; what is not here is taken from the list. */
const BODIES: Readonly<Record<string, unknown>> = {
  'message-id': { subject: 'x' }, 'event-id': { subject: 'x', start: START, end: START }, 'todoTaskList-id': { displayName: 'x' }, 'todoTask-id': { title: 'x' },
  'attachment-id': { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', contentBytes: 'YWJj' }, 'checklistItem-id': { displayName: 'x' }, 'linkedResource-id': { displayName: 'x' },
  'messageRule-id': { displayName: 'x' },
};

async function makeId(client: TestClient, name: string, list: string): Promise<string> {
  if (name === 'mailbox-id') return (await client.get(`${client.me}/settings/exchange`)).json.primaryMailboxId;
  if (name === 'mailFolder-id') return (await client.ask('POST', `${client.me}/mailFolders`, { body: { displayName: `x ${client.simulator.log.total}` } })).json.id;
  const body = BODIES[name];
  return body === undefined ? (await client.get(list)).json.value[0].id : (await client.ask('POST', list, { body })).json.id;
}
