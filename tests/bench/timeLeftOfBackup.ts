import { setTimeout as wait } from 'node:timers/promises';
import type { ProgressEvent } from '../../src/domain/index.ts';
import { TimeLeft } from '../../src/cli/timeLeft.ts';
import { ExchangeSource } from '../../src/connectors/microsoft365/exchange/exchangeSource.ts';
import { MAIL_ALONE } from '../../src/connectors/microsoft365/testing/testTenant.ts';
import { TenantBackups } from '../exchange/tenantBackups.ts';

/** What the service permits: 10,000 requests in ten minutes. On the test's clock each takes so long, and nothing else takes time. */
const REQUEST_MS = 60;
/** Contents that go to the store together. */
const STEP = 32;
const SOME_TURNS = 500;
const MOST_TURNS = 30_000;
const TO = 0.95;

type Counted = Extract<ProgressEvent, { type: 'progress' }>;

export interface Estimates {
  readonly count: number;
  /** The worst of them, as a share of the time that was really left. */
  readonly worst: number;
  readonly minutes: number;
}

/**
 * Backs up the mail of a mailbox on a clock that goes on with each request, and compares what is said to be left with what was, from the share `from` of the
 * time on. Mail alone, since each mail costs the same; an event costs about as much as three.
 */
export async function timeLeftOfBackup(items: number, from = 0.1): Promise<Estimates> {
  let now = Date.parse('2026-07-01T09:00:00Z');
  const clock = { now: () => now, monotonic: () => now };
  const left = new TimeLeft(clock);
  const said: { readonly at: number; readonly left: number }[] = [];
  let latest: Counted | undefined;
  // Whoever looks, looks while time passes: between two requests.
  const onExchange = (): void => {
    now += REQUEST_MS;
    const estimate = latest?.stage !== 'store' || latest.totalItems === undefined ? undefined : left.of(latest.totalItems);
    if (estimate !== undefined) said.push({ at: now, left: estimate });
  };
  await using tenant = await TenantBackups.start({ mailboxes: 1, items, clock, onExchange, open: (with365, mailbox) => {
    const source = new ExchangeSource(with365, mailbox, 'mime', MAIL_ALONE);
    source.fetch = inStep(source.fetch.bind(source), () => latest?.items ?? 0);
    return source;
  } });
  const started = now;
  const listener = (event: ProgressEvent): void => {
    if (event.type !== 'progress') return;
    if (event.stage !== latest?.stage) left.restart();
      latest = event;
    left.note(event.items);
  };
  await tenant.backUp(await tenant.repository(), undefined, listener);
  const took = now - started;
  const judged = said.filter(({ at }) => at - started >= took * from && at - started <= took * TO);
  const errors = judged.map(({ at, left: estimate }) => Math.abs(estimate - (started + took - at)) / (started + took - at));
  return { count: judged.length, worst: Math.max(0, ...errors), minutes: Math.round(took / 60_000) };
}

/** Storing takes no time of the test's clock, so contents are asked for no faster than they are stored. */
function inStep(fetch: ExchangeSource['fetch'], done: () => number): ExchangeSource['fetch'] {
  let [given, before] = [0, -1];
  return async function* stepwise(items, context) {
    if (before < 0) before = done();
    for (let at = 0; at < items.length; at += STEP) {
      for await (const fetched of fetch(items.slice(at, at + STEP), context)) {
        given++;
        yield fetched;
      }
      // Less than a step may wait for more.
      for (let turn = 0; done() - before < given - (turn < SOME_TURNS ? given % STEP : STEP); turn++) {
        if (turn > MOST_TURNS) throw new Error(`${given} contents were given, ${done() - before} were stored`);
        await wait(1);
      }
    }
  };
}
