import { expect, test } from 'vitest';
import { RestClient, RequestBudget, type BudgetLimits } from '../../rest/index.ts';
import { systemRandom } from '../../runtime/index.ts';
import { startMicrosoft365 } from '../../../simulators/microsoft365/index.ts';
import { GraphClient } from './graph/graphClient.ts';
import { explainFailure, isCrowded } from './graph/graphErrors.ts';
import { VirtualTime } from './testing/virtualTime.ts';

/** The documented limits with fewer requests, so that hours pass in seconds; the full size is a soak. */
const MAILBOXES = 50;
const LIMITS: BudgetLimits = { requests: 60, requestWindowMs: 600_000, concurrent: 4, uploadBytes: 150 << 20, uploadWindowMs: 300_000 };
const WINDOWS = 3;

test(`${MAILBOXES} mailboxes at once use nearly all that the service permits, and almost nothing is refused`, async () => {
  const standsAt = new Date('2026-07-01T09:00:00Z');
  await using simulator = await startMicrosoft365({ mailboxes: MAILBOXES, items: 10, standsAt });
  simulator.limit({ mailboxRequests: LIMITS.requests, mailboxConcurrency: LIMITS.concurrent });
  const time = new VirtualTime(simulator);
  const { graphUrl, loginUrl, tenant, clientId, clientSecret } = simulator;
  let token: string | undefined;
  const tokens = {
    token: async (): Promise<string> => {
      time.begins();
      if (token === undefined) {
        const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials', scope: `${graphUrl}/.default` });
        token = ((await (await fetch(`${loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body })).json()) as { access_token: string }).access_token;
      }
      return token;
    },
    refused: () => { token = undefined; },
  };
  const rest = new RestClient({
    baseUrl: `${graphUrl}/v1.0`, tokens, explain: explainFailure, isCrowded, clock: time, sleep: time.sleep, random: systemRandom, onExchange: () => time.ends(),
  });
  const graph = new GraphClient(rest);
  const end = time.now() + WINDOWS * LIMITS.requestWindowMs - 1;
  const stop = new AbortController();
  const done = simulator.mailboxes.flatMap((address) => {
    const budget = new RequestBudget(LIMITS, { clock: time, sleep: time.sleep });
    return Array.from({ length: 6 }, async () => {
      while (time.now() < end) await graph.get(`/users/${address}/mailFolders/inbox?$select=id`, { purpose: 'test', budget, signal: stop.signal });
    });
  });
  const finished = Promise.all(done).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  await time.runUntil(end);
  stop.abort(new Error('the time is over'));
  await finished;
  const requests = simulator.requests('/mailFolders/inbox');
  const refused = requests.filter(({ status }) => status === 429).length;
  const permitted = MAILBOXES * LIMITS.requests * WINDOWS;
  const share = (requests.length - refused) / permitted;
  expect(share, `${requests.length} requests, ${refused} refused, ${permitted} permitted`).toBeGreaterThanOrEqual(0.95);
  expect(refused).toBeLessThanOrEqual(requests.length / 100);
}, 240_000);
