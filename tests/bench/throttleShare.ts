import { RestClient, RequestBudget, type BudgetLimits } from '../../src/rest/index.ts';
import { systemRandom } from '../../src/runtime/index.ts';
import { startMicrosoft365 } from '../../simulators/microsoft365/index.ts';
import { GraphClient } from '../../src/connectors/microsoft365/graph/graphClient.ts';
import { explainFailure, isCrowded } from '../../src/connectors/microsoft365/graph/graphErrors.ts';
import { VirtualTime } from '../../src/connectors/microsoft365/testing/virtualTime.ts';

const DOCUMENTED: BudgetLimits = { requests: 10_000, requestWindowMs: 600_000, concurrent: 4, uploadBytes: 150 << 20, uploadWindowMs: 300_000 };

export interface ThrottleShare {
  readonly requests: number;
  readonly refused: number;
  readonly permitted: number;
}

/** How much of what the service permits is used by so many mailboxes at once, over so many windows of ten minutes on virtual time. `requests`: that a mailbox is permitted in a window. */
export async function throttleShare({ mailboxes, requests, windows }: { mailboxes: number; requests: number; windows: number }): Promise<ThrottleShare> {
  const limits = { ...DOCUMENTED, requests };
  await using simulator = await startMicrosoft365({ mailboxes, items: 10, standsAt: new Date('2026-07-01T09:00:00Z') });
  simulator.limit({ mailboxRequests: limits.requests, mailboxConcurrency: limits.concurrent });
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
  let [sent, refused] = [0, 0];
  const rest = new RestClient({
    baseUrl: `${graphUrl}/v1.0`, tokens, explain: explainFailure, isCrowded, clock: time, sleep: time.sleep, random: systemRandom,
    onExchange: (_request, { status }) => {
      time.ends();
      sent++;
      if (status === 429) refused++;
    },
  });
  const graph = new GraphClient(rest);
  const end = time.now() + windows * limits.requestWindowMs - 1;
  const stop = new AbortController();
  const done = simulator.mailboxes.flatMap((address) => {
    const budget = new RequestBudget(limits, { clock: time, sleep: time.sleep });
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
  return { requests: sent, refused, permitted: simulator.mailboxes.length * limits.requests * windows };
}
