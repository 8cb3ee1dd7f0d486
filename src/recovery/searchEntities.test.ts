import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBackup } from '../backup/index.ts';
import type { Searchable, SourceChange, SourceItem, SourceSession } from '../connectors/contract.ts';
import type { ProgressEvent } from '../domain/index.ts';
import { readMailSummary } from '../formats/index.ts';
import { prune, Repository, writeIndexSetting, type Manifest } from '../repository/index.ts';
import { systemClock } from '../runtime/index.ts';
import { CountingStorage, MemoryStorage } from '../storage/trial/index.ts';
import { forgetWords } from './entityCatalog.ts';
import { searchEntities, type SearchAnswer, type SearchRequest } from './searchEntities.ts';

let directory: string;
let storage: CountingStorage;
let repository: Repository;
let day = 0;
let events: ProgressEvent[] = [];
const signal = new AbortController().signal;
const clock = { now: () => Date.UTC(2026, 0, 1 + day), monotonic: systemClock.monotonic };
const progress = (event: ProgressEvent): void => void events.push(event);

beforeEach(async () => {
  day = 0;
  events = [];
  directory = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  storage = new CountingStorage(new MemoryStorage());
  repository = await Repository.init(storage, new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), { cacheDirectory: directory, clock });
});
afterEach(() => rm(directory, { recursive: true }));

const search: Searchable = {
  titles: { name: 'Subject', author: 'From', recipient: 'To' },
  format: ({ kind }) => (kind === 'mail' ? 'mail' : undefined),
  fields: ({ meta }) => (meta === '' ? { author: '', recipients: '' } : JSON.parse(meta) as { author: string; recipients: string }),
};

interface Mail {
  readonly text: string;
  readonly folder?: string;
  readonly flags?: string;
}

const FOLDERS: Readonly<Record<string, { name: string; parent: string }>> = {
  A: { name: 'Inbox', parent: '' }, B: { name: 'Archive', parent: '' }, BA: { name: 'Old/er', parent: 'B' },
};

function mail(subject: string, body: string, from = 'Ada <ada@example.test>'): string {
  return `From: ${from}\r\nTo: Ben <ben@example.test>\r\nCc: "Cleo" <cleo@example.test>\r\nSubject: ${subject}\r\n\r\n${body}\r\n`;
}

/** A mailbox that holds exactly these: key → mail. Received a minute apart in the order of their keys. */
function mailbox(mails: Readonly<Record<string, Mail>>, name = 'ann'): SourceSession {
  const items = Object.entries(mails).map(([key, one]): SourceItem => {
    const { subject, from, to } = readMailSummary(Buffer.from(one.text));
    return {
      key, parent: one.folder ?? 'A', name: subject, kind: 'mail', size: Buffer.byteLength(one.text), modified: 1.7e12 + Number(key.slice(1)) * 60_000,
      change: one.flags ?? '', meta: JSON.stringify({ author: from, recipients: to, flags: one.flags }),
    };
  });
  const folders = Object.entries(FOLDERS).map(([key, folder]): SourceItem => ({ key, ...folder, kind: 'folder', size: 0, modified: null, change: '', meta: '' }));
  return {
    entity: { id: `mailbox:${name}`, service: 'mailbox', name },
    cursor: () => undefined,
    close: async () => {},
    async* enumerate(): AsyncGenerator<SourceChange[]> {
      const changes = [...folders, ...items].toSorted((a, b) => (a.key < b.key ? -1 : 1))
        .map((item): SourceChange => ({ type: 'item', item, content: { from: item.kind === 'folder' ? 'none' : 'fetch' } }));
      yield [{ type: 'listing', prefix: '' }, ...changes, { type: 'listed', prefix: '' }];
    },
    async* fetch(wanted) {
      for (const item of wanted) yield { item, bytes: Buffer.from(mails[item.key]?.text ?? '') };
    },
  };
}

async function backUp(mails: Readonly<Record<string, Mail>>, name?: string): Promise<string> {
  day++;
  return (await runBackup(repository, mailbox(mails, name), { signal, progress: () => {}, clock })).id;
}

/** `at`: number of the snapshot to look into alone. */
async function ask(query: SearchRequest['query'], { at, ...options }: Partial<SearchRequest> & { at?: number } = {}): Promise<SearchAnswer> {
  const groups = Map.groupBy((await repository.snapshots()).map(({ manifest }) => manifest), ({ tag }) => tag);
  const idAt = (snapshots: readonly Manifest[]): string | undefined => snapshots.find(({ id }) => snapshotNumber(id) === at)?.id;
  return searchEntities(repository, [...groups.values()].map((snapshots) => ({ snapshots, search, at: idAt(snapshots) })), {
    query, limit: 100, index: true, signal, progress, ...options,
  });
}

async function found(query: SearchRequest['query'], options?: Parameters<typeof ask>[1]): Promise<string[]> {
  const { hits } = await ask(query, options);
  return hits.map(({ row, path, first, last }) => `${row.key} ${path.join('/')} ${snapshotNumber(first)}-${snapshotNumber(last)}`);
}

/** The day on which a snapshot was made: ids begin with the time. */
const snapshotNumber = (id: string): number => (Number.parseInt(id.slice(0, 12), 16) - Date.UTC(2026, 0, 1)) / 86_400_000;

const lastIndexed = (): ProgressEvent | undefined => events.filter((event) => event.type === 'progress' && event.stage === 'index').at(-1);
const indexedItems = (): number => lastIndexed()?.['items' as never] ?? 0;

const FIRST = { m1: { text: mail('Budget', 'the first draft of it') }, m2: { text: mail('Minutes', 'a draft', 'Bob <bob@example.test>') }, m3: { text: mail('Trip', 'to Rome') } };

test('mail is found by body, people, subject and folder, with the snapshots that show it so', async () => {
  await backUp(FIRST);
  expect(await found({ words: 'draft' })).toEqual(['m2 Inbox 1-1', 'm1 Inbox 1-1']);
  expect(await found({ author: 'bob@example.test' })).toEqual(['m2 Inbox 1-1']);
  expect(await found({ recipient: 'cleo' })).toEqual(['m3 Inbox 1-1', 'm2 Inbox 1-1', 'm1 Inbox 1-1']);
  expect(await found({ name: 'trip', words: 'rome' })).toEqual(['m3 Inbox 1-1']);
  // m1: new flags; m2: moved, which is another key; m3: gone; m4: new.
  await backUp({ m1: { ...FIRST.m1, flags: 'seen' }, m4: { text: mail('Trip back', 'from Rome'), folder: 'BA' }, m5: { ...FIRST.m2, folder: 'BA' } });
  expect(await found({ words: 'draft' })).toEqual(['m5 Archive/Old/er 2-2', 'm2 Inbox 1-1', 'm1 Inbox 1-2']);
  expect(await found({ words: 'rome' })).toEqual(['m4 Archive/Old/er 2-2', 'm3 Inbox 1-1']);
  expect(await found({ folder: 'Archive' })).toEqual(['m5 Archive/Old/er 2-2', 'm4 Archive/Old/er 2-2']);
  expect(await found({ folder: 'Archive/Old/er', words: 'draft' })).toEqual(['m5 Archive/Old/er 2-2']);
  expect((await ask({ folder: 'Nowhere' })).folder).toBe(false);
});

test('at one snapshot the search shows what that one shows, as it was then, with the range of all', async () => {
  await backUp(FIRST);
  await backUp({ m1: { ...FIRST.m1, flags: 'seen' }, m4: { text: mail('Trip back', 'draft from Rome'), folder: 'BA' } });
  await backUp({ m4: { text: mail('Trip back', 'draft from Rome'), folder: 'BA' } });
  expect(await found({ words: 'draft' })).toEqual(['m4 Archive/Old/er 2-3', 'm2 Inbox 1-1', 'm1 Inbox 1-2']);
  expect(await found({ words: 'draft' }, { at: 1 })).toEqual(['m2 Inbox 1-1', 'm1 Inbox 1-2']);
  expect(await found({ words: 'draft' }, { at: 2 })).toEqual(['m4 Archive/Old/er 2-3', 'm1 Inbox 1-2']);
  expect(await found({ words: 'draft' }, { at: 3 })).toEqual(['m4 Archive/Old/er 2-3']);
  const [first] = (await ask({ words: 'first' }, { at: 1 })).hits;
  const [second] = (await ask({ words: 'first' }, { at: 2 })).hits;
  expect([first?.row.change, second?.row.change]).toEqual(['', 'seen']);
});

test('what may not be indexed is not, loses what was, and is told', async () => {
  await backUp(FIRST, 'ann');
  await backUp(FIRST, 'bob');
  expect((await ask({ words: 'draft' })).hits).toHaveLength(4);
  const tag = repository.context.keyring.entityTag('mailbox:ann');
  await writeIndexSetting(repository.context, { tag, index: false });
  events = [];
  const answer = await ask({ words: 'draft' });
  expect(answer.hits.map(({ entity }) => entity.name)).toEqual(['bob', 'bob']);
  expect(answer.gaps).toMatchObject([{ entity: { name: 'ann' }, off: true, unindexed: true }]);
  expect(indexedItems()).toBe(0);
  await forgetWords(repository, [{ id: 'mailbox:ann', service: 'mailbox', name: 'ann' }]);
  await writeIndexSetting(repository.context, { tag, index: null });
  expect((await ask({ words: 'draft' })).hits).toHaveLength(4);
  // Its words were gone: they were read again.
  expect(indexedItems()).toBe(3);
});

test('a new snapshot has only its new versions indexed, and new flags are not read', async () => {
  await backUp(FIRST);
  await found({ words: 'draft' });
  expect(indexedItems()).toBe(3);
  await backUp({ ...FIRST, m1: { ...FIRST.m1, flags: 'seen' } });
  events = [];
  storage.reset();
  expect(await found({ words: 'first draft' })).toEqual(['m1 Inbox 1-2']);
  expect(indexedItems()).toBe(0);
  // Not even the snapshot was pinned: nothing had to be read.
  expect(storage.counts.put.requests).toBe(0);
  const text = mail('New', 'draft number two');
  await backUp({ ...FIRST, m9: { text } });
  expect(await found({ words: 'draft' })).toEqual(['m9 Inbox 3-3', 'm2 Inbox 1-3', 'm1 Inbox 1-3']);
  // m1 has its old flags again and is only tied to its text; of m9 the content is read.
  expect(lastIndexed()).toMatchObject({ items: 2, bytes: Buffer.byteLength(text) });
});

test('after a prune, and from a cache made anew, a search answers the same', async () => {
  await backUp(FIRST);
  await backUp({ m1: FIRST.m1, m4: { text: mail('Only here', 'draft') } });
  await backUp({ m1: { ...FIRST.m1, flags: 'seen' }, m2: FIRST.m2 });
  expect(await found({ words: 'draft' })).toEqual(['m4 Inbox 2-2', 'm2 Inbox 1-3', 'm1 Inbox 1-3']);
  await prune(repository, { keepLast: 1 }, { signal, progress: () => {} });
  const pruned = ['m2 Inbox 3-3', 'm1 Inbox 3-3'];
  expect(await found({ words: 'draft' })).toEqual(pruned);
  expect(await found({ words: 'rome' })).toEqual([]);
  await rm(join(repository.context.cacheDirectory, 'catalog'), { recursive: true });
  expect(await found({ words: 'draft' })).toEqual(pruned);
});

test('several entities are one list, newest first, page by page', async () => {
  const many = (count: number): Record<string, Mail> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i + 1}`, { text: mail(`Number ${i + 1}`, 'word') }]));
  for (const [name, count] of [['ann', 7], ['bob', 3], ['cat', 5]] as const) await backUp(many(count), name);
  const all = (await ask({ words: 'word' })).hits;
  expect(all.length).toBe(15);
  const times = all.map(({ row }) => row.modified ?? 0);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  const paged: string[] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await ask({ words: 'word' }, { limit: 4, after });
    paged.push(...page.hits.map(({ row, entity }) => `${entity.name} ${row.key}`));
    ({ more } = page);
    after = page.hits.at(-1)?.cursor;
  }
  expect(paged).toEqual(all.map(({ row, entity }) => `${entity.name} ${row.key}`));
  await expect(ask({ words: 'word' }, { after: 'x' })).rejects.toMatchObject({ code: 'search/bad-cursor' });
});

test('what is not indexed is told, not passed over', async () => {
  await backUp(FIRST);
  const none = await ask({ words: 'draft' }, { index: false });
  expect(none).toMatchObject({ hits: [], gaps: [{ pending: 3, failed: 0, unindexed: true }] });
  await ask({ words: 'draft' });
  await backUp({ ...FIRST, m9: { text: mail('New', 'draft') } });
  const part = await ask({ words: 'draft' }, { index: false });
  expect(part.hits.map(({ row }) => row.key)).toEqual(['m2', 'm1']);
  expect(part.gaps).toMatchObject([{ pending: 1, unindexed: false }]);
});

test('a mail whose MIME nobody can read is named and found by its header', async () => {
  const nested = Array.from({ length: 100 }, (_, i) => `Content-Type: multipart/mixed; boundary="b${i}"\r\n\r\n--b${i}\r\n`).join('');
  await backUp({ m1: { text: `From: Eve <eve@example.test>\r\nSubject: Endless\r\n${nested}` }, m2: { text: mail('Fine', 'endless words') } });
  const answer = await ask({ words: 'endless' });
  expect(answer.hits.map(({ row }) => row.key)).toEqual(['m2', 'm1']);
  expect(answer.gaps).toMatchObject([{ pending: 0, failed: 1, failedNames: ['Endless'] }]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'warning', item: 'Endless', code: 'search/unreadable' }));
  expect(await found({ author: 'eve' })).toEqual(['m1 Inbox 1-1']);
});

test('an aborted build goes on where it was', async () => {
  const mails = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`m${String(i).padStart(4, '0')}`, { text: mail(`Number ${i}`, 'word') }]));
  await backUp(mails);
  const abort = new AbortController();
  const stop = (event: ProgressEvent): void => {
    progress(event);
    if (event.type === 'progress' && event.stage === 'index') abort.abort(new Error('enough'));
  };
  await expect(ask({ words: 'word' }, { signal: abort.signal, progress: stop })).rejects.toThrow('enough');
  const done = indexedItems();
  expect(done).toBeGreaterThan(0);
  expect(done).toBeLessThan(700);
  events = [];
  expect((await ask({ words: 'word' }, { limit: 1000 })).hits.length).toBe(700);
  expect(indexedItems()).toBeLessThanOrEqual(700 - done);
});
