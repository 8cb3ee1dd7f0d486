import { RestClient, RequestBudget, type BudgetLimits } from '../../src/rest/index.ts';
import { systemRandom } from '../../src/runtime/index.ts';
import { startMicrosoft365 } from '../../simulators/microsoft365/index.ts';
import { GraphClient } from '../../src/connectors/microsoft365/graph/graphClient.ts';
import { explainFailure, isCrowded } from '../../src/connectors/microsoft365/graph/graphErrors.ts';
import { AppTokens } from '../../src/connectors/microsoft365/signIn/appTokens.ts';
import { checkSettings } from '../../src/connectors/microsoft365/settings.ts';
import { VirtualTime } from '../../src/connectors/microsoft365/testing/virtualTime.ts';
import { settingsOf } from '../exchange/tenantBackups.ts';

export const DOCUMENTED: BudgetLimits = { requests: 10_000, requestWindowMs: 600_000, concurrent: 4, uploadBytes: 150 << 20, uploadWindowMs: 300_000 };
/** Of one mailbox that want to ask at any time: more than may. */
const EAGER = 6;

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
  using time = new VirtualTime(simulator);
  const runtime = { clock: time, sleep: time.sleep, random: systemRandom };
  const settings = settingsOf(simulator);
  let [sent, refused] = [0, 0];
  const rest = new RestClient({
    baseUrl: `${simulator.graphUrl}/v1.0`, tokens: new AppTokens(settings, checkSettings(settings), runtime), explain: explainFailure, isCrowded, ...runtime,
    onExchange: (_request, { status }) => {
      sent++;
      if (status === 429) refused++;
    },
  });
  const graph = new GraphClient(rest);
  const end = time.now() + windows * limits.requestWindowMs - 1;
  // One signal for all of them would be searched for each of its listeners with every request.
  const stops = simulator.mailboxes.map(() => new AbortController());
  const done = simulator.mailboxes.flatMap((address, place) => {
    const budget = new RequestBudget(limits, { clock: time, sleep: time.sleep });
    const signal = stops[place]?.signal ?? AbortSignal.abort();
    return Array.from({ length: EAGER }, async () => {
      while (time.now() < end) await graph.get(`/users/${address}/mailFolders/inbox?$select=id`, { purpose: 'test', budget, signal });
    });
  });
  const finished = Promise.all(done).catch((error: unknown) => {
    if (stops[0]?.signal.aborted !== true) throw error;
  });
  await Promise.race([time.runUntil(end), finished.then(() => undefined)]);
  for (const stop of stops) stop.abort(new Error('the time is over'));
  await finished;
  return { requests: sent, refused, permitted: simulator.mailboxes.length * limits.requests * windows };
}
