import { startMicrosoft365, type LoggedRequest } from '../../simulators/microsoft365/index.ts';
import { VirtualTime } from '../../src/connectors/microsoft365/testing/virtualTime.ts';
import { DOCUMENTED } from './throttleShare.ts';
import { TenantBackups } from '../exchange/tenantBackups.ts';

/** Of the machine's time: what a backup needs between two requests, for files and for its store, is less. */
const QUIET_MS = 30;

export interface ThrottledBackups {
  readonly requests: number;
  readonly refused: number;
  /** Of each mailbox: requests that were taken in the windows before its last one, as a share of those that were permitted in them. The least of all. */
  readonly least: number;
  readonly minutes: number;
}

/**
 * Backs up so many mailboxes at once, all their parts, MIME and streams, against a service that permits `permitted` requests of each in ten minutes, on a clock that goes on
 * only when nothing runs on either side.
 */
export async function throttledBackups({ mailboxes, items, permitted }: { readonly mailboxes: number; readonly items: number; readonly permitted: number }): Promise<ThrottledBackups> {
  const limits = { ...DOCUMENTED, requests: permitted };
  const simulator = await startMicrosoft365({ mailboxes, items, seed: 'throttled', standsAt: new Date('2026-07-01T09:00:00Z') });
  simulator.limit({ mailboxRequests: permitted });
  using time = new VirtualTime(simulator, { quietMs: QUIET_MS });
  await using tenant = TenantBackups.on(simulator, { clock: time, sleep: time.sleep, fidelity: 'both', mailboxLimits: limits });
  const started = time.now();
  // A repository of its own for each: what is shown is what is asked of the service.
  const backups = simulator.mailboxes.map(async (address) => (await tenant.backUp(await tenant.repository(), address)).manifest.status);
  const states = await time.runWhile(Promise.all(backups));
  if (states.some((state) => state !== 'complete')) throw new Error(`of ${states.length} backups ${states.filter((state) => state !== 'complete').length} are not complete`);
  const byMailbox = Map.groupBy(simulator.requests().filter(isOfMailbox), mailboxOf);
  const shares = [...byMailbox.values()].map((requests) => shareOf(requests, limits));
  const all = simulator.requests();
  return { requests: all.length, refused: all.filter(({ status }) => status === 429).length, least: Math.min(...shares), minutes: Math.round((time.now() - started) / 60_000) };
}

/** The batch itself does not count, its parts do. */
function isOfMailbox({ url, route }: LoggedRequest): boolean {
  return route !== '/$batch' && /^\/v1\.0\/(users\/[^/?]+\/|admin\/exchange\/mailboxes\/)/.test(url) && !url.includes('/settings/exchange');
}

function mailboxOf({ url }: LoggedRequest): string {
  return decodeURIComponent(/(?:users\/|MBX(?::|%3A))([^/?@%]+)/i.exec(url)?.[1] ?? '');
}

function shareOf(requests: readonly LoggedRequest[], { requests: permitted, requestWindowMs }: typeof DOCUMENTED): number {
  const [first, last] = [requests[0]?.time ?? 0, requests.at(-1)?.time ?? 0];
  const lastWindow = requests.find(({ time }) => time > last - requestWindowMs / 2)?.time ?? last;
  const taken = requests.filter(({ time, status }) => time < lastWindow && status !== 429).length;
  if (taken === 0) throw new Error(`a mailbox was done with ${requests.length} requests: none of its windows was full`);
  return taken / (permitted * ((lastWindow - first) / requestWindowMs));
}
