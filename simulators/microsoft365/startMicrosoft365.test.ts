import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { startTestClient } from './testClient.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('the same seed makes the same tenant, another one another', async () => {
  const read = async (seed: string): Promise<unknown> => {
    await using client = await startTestClient({ seed });
    return (await client.all(`${client.me}/messages?$top=50`)).entries.map(({ webLink: _link, ...rest }) => rest);
  };
  const first = await read('a');
  expect(await read('a')).toEqual(first);
  expect(await read('b')).not.toEqual(first);
});

test('a hundred mailboxes with ten thousand items each are there at once, and a page costs what it shows', async () => {
  await using client = await startTestClient({ mailboxes: 100, items: 10_000 });
  let total = 0;
  for (const address of client.simulator.mailboxes) {
    const { entries } = await client.all(`/admin/exchange/mailboxes/${(await client.get(`/users/${address}/settings/exchange`)).json.primaryMailboxId}/folders/delta`, 'odata.maxpagesize=1000');
    total += entries.reduce((sum, { totalItemCount }) => sum + totalItemCount, 0);
  }
  expect(total).toBe(1_000_000);
});

test('memory does not grow with what is read', async () => {
  await using client = await startTestClient({ mailboxes: 1, items: 1_000_000 });
  const path = `${client.me}/mailFolders/inbox/messages?$select=id&$top=200`;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  let next: string = path;
  const turn = async (pages: number): Promise<void> => {
    for (let page = 0; page < pages; page++) next = (await client.get(next)).json['@odata.nextLink'];
  };
  await turn(5);
  const before = heap();
  await turn(50);
  expect(heap() - before, 'seed test').toBeLessThan(8 * 1024 * 1024);
  expect(next, 'pages were left to read').toContain('skiptoken');
});

test('the program prints one line of JSON when it is ready, and ends when told', async () => {
  const program = spawn(join(ROOT, 'bin', 'node'), [join(ROOT, 'simulators', 'simulate.ts'), 'microsoft365', '--seed', '7', '--items', '20'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(createInterface(program.stdout), 'line') as [string];
    const told = JSON.parse(line);
    expect(Object.keys(told)).toEqual(['graphUrl', 'loginUrl', 'tenant', 'clientId', 'clientSecret']);
    const form = new URLSearchParams({ client_id: told.clientId, client_secret: told.clientSecret, grant_type: 'client_credentials', scope: `${told.graphUrl}/.default` });
    const { access_token: token } = await (await fetch(`${told.loginUrl}/${told.tenant}/oauth2/v2.0/token`, { method: 'POST', body: form })).json() as { access_token: string };
    const users = await fetch(`${told.graphUrl}/v1.0/users`, { headers: { authorization: `Bearer ${token}` } });
    expect(users.status).toBe(200);
    await users.arrayBuffer();
  } finally {
    program.kill('SIGTERM');
  }
  const [code] = await once(program, 'exit') as [number];
  expect(code).toBe(0);
});

test('a service that is not there is wrong usage', async () => {
  const program = spawn(join(ROOT, 'bin', 'node'), [join(ROOT, 'simulators', 'simulate.ts'), 'nonsense'], { stdio: 'ignore' });
  const [code] = await once(program, 'exit') as [number];
  expect(code).toBe(2);
});
