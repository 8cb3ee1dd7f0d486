import { expect, test } from 'vitest';
import { inScratch } from '../scale/runNode.ts';
import { faultyAccount } from './faultyAccount.ts';
import { killedBackup } from './killedBackup.ts';
import { unchangedTenant } from './unchangedTenant.ts';

/** What tests/soak/exchange.soak.ts shows at full size. */
const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

test('mailboxes in which nothing changed cost delta calls, and lists of what Graph has no delta for', async () => {
  const { kinds, first } = await unchangedTenant(2, 25);
  expect(kinds['delta calls']).toBeGreaterThan(40);
  expect(Object.keys(kinds).sort()).toEqual(['batches of settings', 'delta calls', 'lists of calendars and events']);
  expect(Object.values(kinds).reduce((sum, count) => sum + count)).toBeLessThan(first);
});

test(`with one request in twenty failing by chance a mailbox ends row by row as without faults (seed ${SEED})`, async () => {
  const { struck, rows } = await faultyAccount(60, { seed: SEED, fidelity: 'both' });
  expect(struck).toBeGreaterThan(3);
  expect(rows).toBeGreaterThan(60);
});

test(`a backup that is killed asks for no more than a page of contents again (seed ${SEED})`, async () => {
  await inScratch(async (directory) => {
    const { clean, asked, kills } = await killedBackup(directory, { items: 70, page: 8, kills: 1, seed: SEED, fidelity: 'both' });
    expect(clean).toBeGreaterThan(80);
    expect(asked - clean).toBeLessThanOrEqual(kills * 8);
  });
});
