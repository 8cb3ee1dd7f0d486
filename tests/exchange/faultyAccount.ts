import assert from 'node:assert/strict';
import type { Fault } from '../../simulators/microsoft365/index.ts';
import type { microsoft365 } from '../../src/connectors/index.ts';
import { seededNumbers } from '../repository/seeded.ts';
import { firstDifference, TenantBackups, wholeSnapshot } from './tenantBackups.ts';

const FAULTS: readonly Fault[] = [
  { kind: 'status', status: 500 }, { kind: 'status', status: 502 }, { kind: 'status', status: 503, retryAfterSeconds: 1 }, { kind: 'status', status: 504 },
  { kind: 'status', status: 429, retryAfterSeconds: 2.128 }, { kind: 'status', status: 401 }, { kind: 'reset' }, { kind: 'truncate', bytes: 100 }, { kind: 'truncate', bytes: 0 }, { kind: 'cut', bytes: 50 },
];
const ONE_IN = 20;

export interface FaultyAccount {
  readonly rows: number;
  readonly requests: number;
  readonly struck: number;
}

/** Backs up a mailbox twice, the second time with one request in twenty failing by chance: row by row, contents too, both snapshots are the same. */
export async function faultyAccount(items: number, { seed, fidelity }: { readonly seed: number; readonly fidelity: microsoft365.Fidelity }): Promise<FaultyAccount> {
  await using tenant = await TenantBackups.start({ mailboxes: 1, items, fidelity });
  const [calm, rough] = [await tenant.repository(), await tenant.repository()];
  const clean = await tenant.backUp(calm);
  assert.equal(clean.manifest.status, 'complete');
  const next = seededNumbers(seed);
  const below = (count: number): number => Math.floor(next() * count);
  // One of each twenty, so that no seed has too few. The rest of the run, longer by what is asked again, goes well.
  for (let place = 0; place + ONE_IN <= clean.requests.length * 1.05; place += ONE_IN) {
    tenant.simulator.fault({ on: '/v1.0/', after: place + below(ONE_IN), times: 1, fault: FAULTS[below(FAULTS.length)] ?? { kind: 'reset' } });
  }
  tenant.simulator.log.clear();
  const { manifest, requests } = await tenant.backUp(rough);
  const struck = requests.filter(({ fault }) => fault !== undefined).length;
  assert.ok(struck >= Math.floor(clean.requests.length / ONE_IN) - 1, `only ${struck} of ${requests.length} requests failed`);
  assert.deepEqual([manifest.status, manifest.warnings], ['complete', []]);
  const whole = await wholeSnapshot(calm, clean.manifest);
  assert.equal(firstDifference(whole, await wholeSnapshot(rough, manifest)), undefined);
  return { rows: whole.size, requests: requests.length, struck };
}
