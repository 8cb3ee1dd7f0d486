import { expect, test } from 'vitest';
import type { SnapshotModel } from '../conformance.ts';
import { FolderedService } from './exchange/items/folderedService.ts';
import { tasksPlan } from './exchange/todo/tasksPlan.ts';
import { expectCoverage } from './testing/coverageTable.ts';
import { Dice } from './testing/dice.ts';
import { readTasks } from './testing/readTasks.ts';
import { differing, type ShownItem } from './testing/shownItems.ts';
import { counts, giveBack } from './testing/testRestore.ts';
import { TestTenant } from './testing/testTenant.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const OF_SERVICE = ['@odata.etag', 'createdDateTime', 'id', 'lastModifiedDateTime', 'bodyLastModifiedDateTime', 'list'];
const ITEMS = 'tasks/i/';

const start = async (items = 150): Promise<TestTenant> => await TestTenant.start({ items, parts: [(access) => new FolderedService(access, tasksPlan)] });

const backUp = async (tenant: TestTenant): Promise<SnapshotModel> => (await tenant.run()).snapshot;

const compare = (before: ReadonlyMap<string, ShownItem>, after: ReadonlyMap<string, ShownItem>): string[] => differing(before, after).filter((name) => !OF_SERVICE.includes(name));

/** A task with everything that may be set. */
async function addWhole(tenant: TestTenant, list: string): Promise<void> {
  const at = (day: string): object => ({ dateTime: `2026-12-${day}T00:00:00.0000000`, timeZone: 'UTC' });
  const { id } = await tenant.ask('POST', `/todo/lists/${list}/tasks`, {
    title: 'Whole', body: { content: 'Line 1\nLine 2', contentType: 'text' }, status: 'inProgress', importance: 'high', isReminderOn: true, reminderDateTime: at('03'), startDateTime: at('01'), dueDateTime: at('04'),
    categories: ['Customer'], recurrence: { pattern: { type: 'weekly', interval: 2, daysOfWeek: ['friday'], firstDayOfWeek: 'monday' }, range: { type: 'noEnd', startDate: '2026-12-04' } },
    linkedResources: [{ webUrl: 'https://a.example', applicationName: 'A', displayName: 'B', externalId: '1' }],
  });
  for (const [displayName, isChecked] of [['First', true], ['Second', false]]) await tenant.ask('POST', `/todo/lists/${list}/tasks/${id}/checklistItems`, { displayName, isChecked });
  await tenant.ask('POST', `/todo/lists/${list}/tasks/${id}/attachments`, { '@odata.type': '#microsoft.graph.taskFileAttachment', name: 'a.txt', contentType: 'text/plain', contentBytes: 'YWJj' });
}

/** Somebody edits and deletes tasks, steps and links. */
async function wreck(tenant: TestTenant, seed: number): Promise<string> {
  const roll = new Dice(seed);
  const done: string[] = [];
  for (const { fields } of (await readTasks(tenant)).values()) {
    const path = `/todo/lists/${fields['list']}/tasks/${fields['id']}`;
    const step = roll.pick(['edit', 'clear', 'steps', 'links', 'delete', 'leave']) ?? 'leave';
    done.push(step);
    if (step === 'edit') await tenant.ask('PATCH', path, { title: 'Wrecked', status: 'completed', importance: 'low', categories: ['Wrecked'], body: { content: 'wrecked', contentType: 'text' } });
    else if (step === 'clear') await tenant.ask('PATCH', path, { dueDateTime: null, reminderDateTime: null, isReminderOn: false, recurrence: null });
    else if (step === 'steps') {
      await tenant.ask('POST', `${path}/checklistItems`, { displayName: 'Wrecked' });
      for (const { id } of (await tenant.ask('GET', `${path}/checklistItems`)).value.slice(0, 1)) await tenant.ask('PATCH', `${path}/checklistItems/${id}`, { displayName: 'Other', isChecked: true });
    } else if (step === 'links') for (const { id } of (await tenant.ask('GET', `${path}/linkedResources`)).value) await tenant.ask('DELETE', `${path}/linkedResources/${id}`);
    else if (step === 'delete') await tenant.ask('DELETE', path);
  }
  return `seed ${seed}: ${done.join(' ')}`;
}

async function listId(tenant: TestTenant, name: string): Promise<string> {
  return ((await tenant.ask('GET', '/todo/lists')).value as { id: string; displayName: string }[]).find(({ displayName }) => displayName === name)?.id ?? '';
}

test(`replace makes tasks that were wrecked as they were, and a second run writes nothing (seed ${SEED})`, async () => {
  await using tenant = await start();
  const club = (await tenant.ask('POST', '/todo/lists', { displayName: 'Club' })).id;
  await addWhole(tenant, club);
  await addWhole(tenant, await listId(tenant, 'Tasks'));
  const before = await readTasks(tenant);
  const snapshot = await backUp(tenant);
  expect((await giveBack(tenant, snapshot, { mode: 'replace' })).writes).toEqual([]);
  const said = await wreck(tenant, SEED);
  await tenant.ask('PATCH', `/todo/lists/${club}`, { displayName: 'Wrecked' });
  await tenant.ask('DELETE', `/todo/lists/${await listId(tenant, 'Errands')}`);
  const first = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect([counts(first, ITEMS)['failed'], counts(first, ITEMS)['altered']], said).toEqual([undefined, undefined]);
  const after = await readTasks(tenant);
  expect([...after.keys()].sort(), said).toEqual([...before.keys()].sort());
  expect(compare(before, after).filter((name) => name !== 'checklistItems'), said).toEqual([]);
  // What was put back comes last.
  const steps = (tasks: ReadonlyMap<string, ShownItem>): object => Object.fromEntries([...tasks].map(([key, { fields }]) => [key, new Set((fields['checklistItems'] as object[]).map((step) => JSON.stringify(step)))]));
  expect(steps(after), said).toEqual(steps(before));
  const second = await giveBack(tenant, snapshot, { mode: 'replace' });
  expect(second.writes.map(({ method, url }) => `${method} ${url}`), said).toEqual([]);
  expect(Object.keys(counts(second, ITEMS)), said).toEqual(['unchanged']);
  expect(tenant.simulator.sentMails()).toEqual([]);
});

test('into another mailbox every task comes with all that belongs to it; a dry run tells the same and writes nothing', async () => {
  await using tenant = await start();
  await addWhole(tenant, await listId(tenant, 'Errands'));
  const [, other = ''] = tenant.simulator.mailboxes;
  const [before, theirs, snapshot] = [await readTasks(tenant), await readTasks(tenant, other), await backUp(tenant)];
  const dry = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, dryRun: true });
  expect([dry.writes, counts(dry, ITEMS)]).toEqual([[], { written: before.size }]);
  expect(counts(await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other }), ITEMS)).toEqual({ written: before.size });
  const after = await readTasks(tenant, other);
  // Titles are those of other tasks, too.
  const standing = new Map([...theirs.values()].map(({ fields }) => [fields['id'], fields]));
  for (const { fields } of after.values()) if (standing.has(fields['id'])) expect(fields).toEqual(standing.get(fields['id']));
  const added = new Map([...after].filter(([, { fields }]) => !standing.has(fields['id'])).map(([key, item]) => [key.replace(/( \(again\))+$/, ''), item]));
  const originals = new Map([...before].filter(([key]) => added.has(key)));
  expect([originals.has('Errands Whole'), after.size]).toEqual([true, theirs.size + before.size]);
  expect(compare(originals, added)).toEqual([]);
  const { list: _list, ...shown } = before.get('Errands Whole')?.fields ?? {};
  expectCoverage('task', shown, differing(originals, added).filter((name) => name !== 'list'));
  for (const mode of ['skip', 'replace'] as const) expect((await giveBack(tenant, snapshot, { mode }, { address: other })).writes).toEqual([]);
});

test('skip brings back what was deleted, and leaves all else; separate puts lists beside, once', async () => {
  await using tenant = await start(100);
  const before = await readTasks(tenant);
  const snapshot = await backUp(tenant);
  await giveBack(tenant, snapshot, { mode: 'separate' });
  const beside = 'Restored 2026-01-02 - ';
  const copies = new Map([...await readTasks(tenant)].filter(([, { path }]) => path.startsWith(beside)).map(([key, item]) => [key.slice(beside.length), item]));
  expect([...copies.keys()].sort()).toEqual([...before.keys()].sort());
  expect(compare(before, copies)).toEqual([]);
  for (const mode of ['separate', 'replace', 'skip'] as const) expect((await giveBack(tenant, snapshot, { mode })).writes).toEqual([]);
  const [first, second] = [...before.values()].map(({ fields }) => `/todo/lists/${fields['list']}/tasks/${fields['id']}`);
  await tenant.ask('PATCH', first ?? '', { title: 'Changed' });
  await tenant.ask('DELETE', second ?? '');
  expect(counts(await giveBack(tenant, snapshot, { mode: 'skip' }), ITEMS)).toEqual({ skipped: before.size - 1, written: 1 });
  expect((await tenant.ask('GET', first ?? '')).title).toBe('Changed');
  expect((await giveBack(tenant, snapshot, { mode: 'skip' })).writes).toEqual([]);
});

test('a task that is refused is named, one whose answer is lost is made once, and one that was left half made is made anew', async () => {
  await using tenant = await start(100);
  await addWhole(tenant, await listId(tenant, 'Errands'));
  const [, other = ''] = tenant.simulator.mailboxes;
  const [before, snapshot, theirs] = [await readTasks(tenant), await backUp(tenant), await readTasks(tenant, other)];
  const posts = /^POST .*\/tasks$/;
  tenant.simulator.fault({ on: posts, times: 1, fault: { kind: 'truncate', bytes: 10 } });
  const stop = new AbortController();
  tenant.simulator.fault({ on: /^POST .*\/attachments$/, times: 1, fault: { kind: 'do', action: () => stop.abort(new Error('stopped')) } });
  await expect(giveBack(tenant, snapshot, { mode: 'skip' }, { address: other, signal: stop.signal })).rejects.toThrow('stopped');
  tenant.simulator.fault({ on: posts, times: 1, fault: { kind: 'status', status: 400, code: 'invalidRequest' } });
  const second = await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other });
  expect([...second.results.values()].filter(({ result }) => result === 'failed')).toMatchObject([{ outcome: { code: 'refused' } }]);
  expect(counts(await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other }), ITEMS)['failed']).toBe(undefined);
  const after = await readTasks(tenant, other);
  expect(after.size).toBe(theirs.size + before.size);
  expect(compare(new Map([...before].filter(([key]) => key.endsWith('Whole'))), after)).toEqual([]);
  expect((await giveBack(tenant, snapshot, { mode: 'skip' }, { address: other })).writes).toEqual([]);
});
