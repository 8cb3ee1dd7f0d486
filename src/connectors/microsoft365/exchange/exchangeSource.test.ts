import { expect, test } from 'vitest';
import { HoldfastError, type ProgressEvent } from '../../../domain/index.ts';
import { modelRun, SnapshotModel } from '../../conformance.ts';
import { TestTenant } from '../testing/testTenant.ts';
import { ExchangeSource } from './exchangeSource.ts';
import { MailService } from './mail/mailService.ts';
import type { MailboxAccess, SubService } from './subService.ts';

/** A part of a mailbox that needs a permission of its own, and is named after mail. */
function walled(mayRead: () => boolean): (access: MailboxAccess) => SubService {
  return () => ({
    name: 'walled', title: 'Walled', kind: 'mail',
    async *enumerate() {
      if (!mayRead()) throw new HoldfastError('microsoft365/no-permission', 'input', 'The application may not do this.');
      yield [{ type: 'item', item: { key: 'walled/0', parent: '', name: 'Walled', kind: 'folder', size: 0, modified: null, change: 'x', meta: '' }, content: { from: 'none' } }];
    },
    cursor: () => 'read',
    fetch: (item) => Promise.resolve({ item, bytes: Buffer.from('x') }),
  });
}

test('a part that may not be read is named and keeps what it had; the others are read; none at all is an error', async () => {
  await using tenant = await TestTenant.start();
  const mailbox = await tenant.tenant.mailbox(tenant.address, new AbortController().signal);
  let may = true;
  const run = async (previous?: SnapshotModel) => await modelRun(new ExchangeSource(tenant.tenant, mailbox, 'mime', [walled(() => may), (access) => new MailService(access)]), previous);
  const first = await run();
  may = false;
  await tenant.addMessage('inbox');
  const second = await run(first.snapshot);
  expect(second.fetched).toHaveLength(1);
  expect(second.snapshot.sorted.filter(({ outcome }) => outcome !== '').map(({ key, name }) => [key, name])).toEqual([['walled/!', 'All of Walled']]);
  expect(second.snapshot.find('Walled')).toBeDefined();
  expect(JSON.parse(second.snapshot.cursor ?? '')).toMatchObject({ parts: { walled: 'read' } });
  may = true;
  const third = await run(second.snapshot);
  expect(third.snapshot.sorted.filter(({ outcome }) => outcome !== '')).toEqual([]);
  may = false;
  await expect(modelRun(new ExchangeSource(tenant.tenant, mailbox, 'mime', [walled(() => may)]))).rejects.toMatchObject({ code: 'microsoft365/no-permission' });
});

test('the count of what was listed goes on from part to part', async () => {
  await using tenant = await TestTenant.start({ items: 60, parts: 'all' });
  const source = await tenant.source();
  const counts: number[] = [];
  let listed = 0;
  const progress = (event: ProgressEvent): void => { if (event.type === 'progress') counts.push(event.items); };
  for await (const changes of source.enumerate({ cursor: undefined, previous: new SnapshotModel(), signal: new AbortController().signal, progress })) {
    for (const change of changes) if (change.type === 'item' && !['folder', 'setting', 'gap'].includes(change.item.kind)) listed++;
  }
  await source.close();
  expect(counts.length).toBeGreaterThan(10);
  expect(counts.toSorted((a, b) => a - b)).toEqual(counts);
  expect(counts.at(-1)).toBeGreaterThanOrEqual(listed);
});
