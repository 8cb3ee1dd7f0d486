import type { ProgressEvent } from '../../src/domain/index.ts';
import { TimeLeft } from '../../src/cli/timeLeft.ts';
import { microsoft365 } from '../../src/connectors/index.ts';
import { ExchangeSource } from '../../src/connectors/microsoft365/exchange/exchangeSource.ts';
import { MAIL_ALONE } from '../../src/connectors/microsoft365/testing/testTenant.ts';
import { TenantBackups } from '../exchange/tenantBackups.ts';

/** What the service permits: 10,000 requests in ten minutes. On the test's clock each takes so long, and nothing else takes time. */
const REQUEST_MS = 60;
const TO = 0.95;

type Counted = Extract<ProgressEvent, { type: 'progress' }>;

export interface Estimates {
  readonly count: number;
  /** The worst of them, as a share of the time that was really left. */
  readonly worst: number;
  readonly minutes: number;
}

/**
 * Backs up a mailbox on a clock that goes on with each request, and compares what is said to be left with what was, from the first tenth of the time on. All its
 * parts with MIME and streams, or the MIME of mail alone, where each item costs the same.
 */
export async function timeLeftOfBackup(items: number, { parts, from = 0.1 }: { readonly parts: 'all' | 'mail'; readonly from?: number }): Promise<Estimates> {
  let now = Date.parse('2026-07-01T09:00:00Z');
  const clock = { now: () => now, monotonic: () => now };
  const left = new TimeLeft(clock);
  const said: { readonly at: number; readonly left: number }[] = [];
  let latest: Counted | undefined;
  // Whoever looks, looks while time passes: between two requests.
  const onExchange = (): void => {
    now += REQUEST_MS;
    const estimate = latest?.stage !== 'store' || latest.effort === undefined ? undefined : left.of(latest.effort.total);
    if (estimate !== undefined) said.push({ at: now, left: estimate });
  };
  const open: typeof microsoft365.openSource = (tenant, mailbox, fidelity) => (parts === 'all' ? microsoft365.openSource(tenant, mailbox, fidelity) : new ExchangeSource(tenant, mailbox, 'mime', MAIL_ALONE));
  await using tenant = await TenantBackups.start({ mailboxes: 1, items, clock, onExchange, open, fidelity: 'both' });
  const started = now;
  const listener = (event: ProgressEvent): void => {
    if (event.type !== 'progress') return;
    if (event.stage !== latest?.stage) left.restart();
    latest = event;
    if (event.effort !== undefined) left.note(event.effort.done);
  };
  await tenant.backUp(await tenant.repository(), undefined, listener);
  const took = now - started;
  const judged = said.filter(({ at }) => at - started >= took * from && at - started <= took * TO);
  const errors = judged.map(({ at, left: estimate }) => Math.abs(estimate - (started + took - at)) / (started + took - at));
  return { count: judged.length, worst: Math.max(0, ...errors), minutes: Math.round(took / 60_000) };
}
