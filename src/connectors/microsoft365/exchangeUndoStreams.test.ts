import { expect, test } from 'vitest';
import { readContacts } from './testing/readContacts.ts';
import { readEvents } from './testing/readEvents.ts';
import { readMailbox } from './testing/readMailbox.ts';
import { readNotes } from './testing/readNotes.ts';
import { ends, takeBack, TestJournal } from './testing/testJournal.ts';
import { giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

test('what came back as streams is taken back, but for meetings, of which others would hear, and notes: these are named', async () => {
  await using tenant = await TestTenant.start({ items: 100, parts: 'all', fidelity: 'both' });
  const [, other = ''] = tenant.simulator.mailboxes;
  const { snapshot } = await tenant.run();
  const idsOf = (items: ReadonlyMap<string, { readonly path: string; readonly fields: any }>): string[] => [...items.values()].filter(({ path }) => !path.startsWith('Deleted Items')).map(({ fields }) => String(fields['id'])).sort();
  const read = async (): Promise<string[]> => [...idsOf(await readMailbox(tenant, other)), ...idsOf(await readContacts(tenant, other)), ...idsOf(await readEvents(tenant, other))];
  const before = await read();
  const journal = new TestJournal();
  await giveBack(tenant, snapshot, { mode: 'separate', journal }, { address: other });
  expect((await read()).length).toBeGreaterThan(before.length + 30);
  const notes = async (): Promise<string[]> => [...(await readNotes(tenant, other)).values()].filter(({ path }) => path.startsWith('Restored')).map(({ fields }) => String(fields['id']));
  expect((await notes()).length).toBeGreaterThan(0);
  // Somebody deletes them by hand; then their folder is empty.
  for (const id of await notes()) tenant.simulator.vanish(other, id);
  const { primaryMailboxId } = await tenant.ask('GET', '/settings/exchange', undefined, other);
  const folders = async (): Promise<string[]> => (await tenant.askAt('GET', `/admin/exchange/mailboxes/${primaryMailboxId}/folders?$top=100`)).value.map(({ displayName }: { displayName: string }) => displayName);
  expect(await folders()).toContain('Restored 2026-01-02 - Notes');
  const undone = await takeBack(tenant, journal, { address: other });
  const left = [...new Set(undone.results.flatMap(([, { result, code }]) => (result === 'left' ? [code ?? ''] : [])))].sort();
  expect(left).toEqual(['meeting-stands', 'not-empty', 'notes-stay']);
  expect(ends(undone)['failed'] ?? 0).toBe(0);
  expect(await folders()).not.toContain('Restored 2026-01-02 - Notes');
  const meetings = [...(await readEvents(tenant, other)).values()].filter(({ path, fields }) => path.startsWith('Restored') && (fields['attendees'] as unknown[]).length > 0).map(({ fields }) => String(fields['id']));
  expect((await read()).filter((id) => !meetings.includes(id)).sort()).toEqual([...before].sort());
  expect(tenant.simulator.sentMails()).toEqual([]);
});
