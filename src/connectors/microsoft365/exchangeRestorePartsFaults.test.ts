import { expect, test } from 'vitest';
import { calendarPlan } from './exchange/calendar/calendarPlan.ts';
import { contactsPlan } from './exchange/contacts/contactsPlan.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { SettingsService } from './exchange/settings/settingsService.ts';
import type { SubServiceFactory } from './exchange/subService.ts';
import { tasksPlan } from './exchange/todo/tasksPlan.ts';
import { Dice } from './testing/dice.ts';
import { readContacts } from './testing/readContacts.ts';
import { readEvents } from './testing/readEvents.ts';
import { readTasks } from './testing/readTasks.ts';
import { giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';
import { TRANSIENT_FAULTS } from './testing/transientFaults.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const PARTS: readonly SubServiceFactory[] = [
  ...[calendarPlan, contactsPlan, tasksPlan].map((plan): SubServiceFactory => (access) => new FolderedService(access, plan)), (access) => new SettingsService(access),
];
/** Keys of all that was given back beside, of each part. */
async function keys(tenant: TestTenant, address: string): Promise<string[]> {
  const all = [...(await readContacts(tenant, address)).keys(), ...(await readEvents(tenant, address)).keys(), ...(await readTasks(tenant, address)).keys()];
  return all.filter((key) => key.startsWith('Restored')).sort((a, b) => (a < b ? -1 : 1));
}

test(`with one request in ten failing by chance every event, contact and task is there once (seed ${SEED})`, async () => {
  await using tenant = await TestTenant.start({ items: 90, parts: PARTS });
  const [, clean = '', faulty = ''] = tenant.simulator.mailboxes;
  const { snapshot } = await tenant.run();
  await giveBack(tenant, snapshot, { mode: 'separate' }, { address: clean });
  const dice = new Dice(SEED);
  const rules = Array.from({ length: 40 }, (_, ten) => tenant.simulator.fault({ on: '/v1.0/', after: ten * 10 + dice.below(10), times: 1, fault: dice.pick(TRANSIENT_FAULTS) ?? { kind: 'reset' } }));
  const run = await giveBack(tenant, snapshot, { mode: 'separate' }, { address: faulty });
  for (const undo of rules) undo();
  expect(run.writes.filter(({ fault }) => fault !== undefined).length, `seed ${SEED}`).toBeGreaterThan(0);
  expect([...run.results.values()].filter(({ result }) => result === 'failed'), `seed ${SEED}`).toEqual([]);
  expect(await keys(tenant, faulty), `seed ${SEED}`).toEqual(await keys(tenant, clean));
  expect((await giveBack(tenant, snapshot, { mode: 'separate' }, { address: faulty })).writes, `seed ${SEED}`).toEqual([]);
  expect(tenant.simulator.sentMails()).toEqual([]);
});
