import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { TestMailbox } from '../servers/testMailbox.ts';
import { CliSandbox } from './cliSandbox.ts';

/** Dozens of commands, each with a thread or two of its own: on a busy machine they take seconds each. */
const PATIENT = 400_000;
const USERS = ['ann@example.test', 'bob@example.test'];
let server: Dovecot;

beforeAll(async () => {
  server = await startDovecot({ users: Object.fromEntries(USERS.map((user) => [user, 'pw'])) });
});
afterAll(async () => { await server.stop(); });

interface Hit {
  readonly path: string;
  readonly entity: string;
  readonly from: string;
  readonly firstSnapshot: string;
  readonly lastSnapshot: string;
  readonly cursor: string;
}

const mail = (from: string, subject: string, text: string): Buffer => Buffer.from(
  `From: ${from}\r\nTo: Team <team@example.test>\r\nSubject: ${subject}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>${text}</p>\r\n`);

async function backUp(sandbox: CliSandbox, user: string): Promise<string> {
  writeFileSync(sandbox.path('password'), 'pw\n');
  const reach = ['--host', '127.0.0.1', '--port', String(server.port), '--tls', 'off', '--user', user, '--password-file', sandbox.path('password')];
  return (await sandbox.json<{ id: string }>(['backup', 'imap', ...reach, '--init'])).id;
}

const paths = (hits: readonly Hit[]): string[] => hits.map(({ path }) => path);

test('mail of several mailboxes and files are found by words, people, folder and day', { timeout: PATIENT }, async () => {
  using sandbox = new CliSandbox();
  const ann = await TestMailbox.open(server, 'ann@example.test');
  await ann.create('Work');
  await ann.save('INBOX', mail('Bob <bob@example.test>', 'Budget', 'the first draft: 東京都の予算'), { date: '01-Feb-2024 10:00:00 +0000' });
  await ann.save('Work', mail('Cleo <cleo@example.test>', 'Final report', 'no draft any longer, שלום'), { date: '02-Feb-2024 10:00:00 +0000' });
  const bob = await TestMailbox.open(server, 'bob@example.test');
  await bob.save('INBOX', mail('Ann <ann@example.test>', 'Re: Budget', 'a draft of mine'), { date: '03-Feb-2024 10:00:00 +0000' });
  // Not kept open meanwhile: the connection ends when it is idle for long.
  ann.close();
  bob.close();
  const first = await backUp(sandbox, 'ann@example.test');
  await backUp(sandbox, 'bob@example.test');

  const find = (...args: readonly string[]): Promise<Hit[]> => sandbox.json<Hit[]>(['search', ...args]);
  expect(paths(await find('draft'))).toEqual(['INBOX/Re: Budget', 'Work/Final report', 'INBOX/Budget']);
  expect(paths(await find('draft', '--entity', 'imap:ann@example.test@127.0.0.1'))).toEqual(['Work/Final report', 'INBOX/Budget']);
  expect(paths(await find('draft', '--from', 'bob@example.test'))).toEqual(['INBOX/Budget']);
  expect(paths(await find('--to', 'team', '--subject', 'budg*'))).toEqual(['INBOX/Re: Budget', 'INBOX/Budget']);
  expect(paths(await find('京都'))).toEqual(['INBOX/Budget']);
  expect(paths(await find('שלום'))).toEqual(['Work/Final report']);
  expect(paths(await find('--folder', 'Work'))).toEqual(['Work/Final report']);
  expect(paths(await find('draft', '--after', '2024-02-02', '--before', '2024-02-03'))).toEqual(['Work/Final report']);
  // What follows '--' is words, '--json' too.
  const dashed = await sandbox.run(['search', '--json', '--', '"final report"', '-budget']);
  expect(paths(JSON.parse(dashed.stdout) as Hit[]), dashed.stderr).toEqual(['Work/Final report']);
  expect(paths(await find('name:', 'OR', 'NEAR(', '*', '"'))).toEqual([]);
  const [newest] = await find('draft', '--limit', '1');
  expect(newest).toMatchObject({ from: 'Ann <ann@example.test>', entity: 'imap:bob@example.test@127.0.0.1' });
  expect(paths(await find('draft', '--limit', '1', '--continue', newest?.cursor ?? ''))).toEqual(['Work/Final report']);

  const again = await TestMailbox.open(server, 'ann@example.test');
  await again.addFlags('INBOX', '1', '\\Flagged');
  await again.save('INBOX', mail('Bob <bob@example.test>', 'Budget again', 'another draft'), { date: '04-Feb-2024 10:00:00 +0000' });
  again.close();
  const second = await backUp(sandbox, 'ann@example.test');
  const inAnn = await find('draft', '--entity', 'imap:ann@example.test@127.0.0.1');
  expect(inAnn.map(({ path, firstSnapshot, lastSnapshot }) => [path, firstSnapshot, lastSnapshot])).toEqual([
    ['INBOX/Budget again', second, second], ['Work/Final report', first, second], ['INBOX/Budget', first, second],
  ]);
  const of = '--entity=imap:ann@example.test@127.0.0.1';
  expect(paths(await find('draft', of, '--snapshot', first))).toEqual(['Work/Final report', 'INBOX/Budget']);
  expect(paths(await find('draft', '--snapshot', second))).toEqual(['INBOX/Budget again', 'Work/Final report', 'INBOX/Budget']);
  expect(paths(await find('draft', of, '--snapshot', 'latest'))).toHaveLength(3);
  expect(paths(await find('draft', '--at', '2100-01-01'))).toEqual(['INBOX/Budget again', 'INBOX/Re: Budget', 'Work/Final report', 'INBOX/Budget']);
  expect(await sandbox.json(['search', 'draft', '--at', '2024-01-01'], 1)).toMatchObject({ error: { code: 'cli/no-snapshot' } });
  expect((await sandbox.run(['search', 'draft', '--at', '2100-01-01', '--snapshot', first])).code).toBe(2);
  const text = await sandbox.run(['search', 'again']);
  expect(text).toMatchObject({ code: 0 });
  expect(text.stdout).toContain('Bob <bob@example.test>  Budget again');
  expect(text.stdout).toContain('INBOX/Budget again');
  expect((await sandbox.run(['search', 'nosuchword'])).stdout).toBe('Nothing found.\n');

  mkdirSync(sandbox.path('tree', 'Plans'), { recursive: true });
  writeFileSync(sandbox.path('tree', 'Plans', 'Summer budget.txt'), 'Grüße aus 東京都');
  writeFileSync(sandbox.path('tree', 'Plans', 'call.ics'), 'BEGIN:VEVENT\r\nSUMMARY:Kick\r\n -off\r\nATTENDEE;CN=Dora:mailto:dora@example.test\r\nEND:VEVENT\r\n');
  writeFileSync(sandbox.path('tree', 'Plans', 'picture.jpg'), 'Grüße');
  await sandbox.json(['backup', 'folder', sandbox.path('tree')]);
  expect(paths(await find('summer', 'budget'))).toEqual(['Plans/Summer budget.txt']);
  expect(paths(await find('--folder', 'Plans'))).toHaveLength(3);
  expect(paths(await find('grusse', '京都', '--folder', 'Plans'))).toEqual(['Plans/Summer budget.txt']);
  expect(paths(await find('kick-off', 'dora@example.test'))).toEqual(['Plans/call.ics']);
});

test('what is not indexed is said, and wrong questions too', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('tree'));
  writeFileSync(sandbox.path('tree', 'one.txt'), 'x');
  await sandbox.json(['backup', 'folder', sandbox.path('tree'), '--init']);
  expect(await sandbox.json(['search', 'one', '--no-index'], 1)).toMatchObject({ error: { code: 'search/not-indexed' } });
  expect(paths(await sandbox.json<Hit[]>(['search', 'one']))).toEqual(['one.txt']);
  writeFileSync(sandbox.path('tree', 'one more.txt'), 'x');
  await sandbox.json(['backup', 'folder', sandbox.path('tree')]);
  const part = await sandbox.run(['search', 'one', '--no-index']);
  expect(part.code).toBe(3);
  expect(part.stderr).toContain('1 version not indexed');
  expect(paths(await sandbox.json<Hit[]>(['search', 'one']))).toEqual(expect.arrayContaining(['one more.txt', 'one.txt']));
  rmSync(sandbox.path('cache'), { recursive: true });
  expect((await sandbox.json<Hit[]>(['search', 'one'])).length).toBe(2);
  expect(await sandbox.json(['search', '!?'], 1)).toMatchObject({ error: { code: 'search/no-words' } });
  expect(await sandbox.json(['search', 'one', '--folder', 'nowhere'], 1)).toMatchObject({ error: { code: 'cli/no-folder' } });
  expect(await sandbox.json(['search', 'one', '--continue', 'x'], 1)).toMatchObject({ error: { code: 'search/bad-cursor' } });
  for (const wrong of [['search'], ['search', 'one', '--after', '2024-02-30'], ['search', 'one', '--limit', '0'], ['search', 'one', '--before', 'yesterday']]) {
    expect((await sandbox.run(wrong)).code).toBe(2);
  }
});

test('where indexing is turned off nothing is indexed, what was goes, and a search says so', { timeout: PATIENT }, async () => {
  using sandbox = new CliSandbox();
  for (const name of ['one', 'two']) {
    mkdirSync(sandbox.path(name));
    writeFileSync(sandbox.path(name, `${name}.txt`), 'secret words');
    await sandbox.json(['backup', 'folder', sandbox.path(name), '--init']);
  }
  const [one, two] = ['one', 'two'].map((name) => `folder:${sandbox.path(name)}`);
  const settings = (...args: readonly string[]) => sandbox.json(['repo', 'settings', ...args]);
  expect(await settings()).toEqual({ index: 'on', entities: [{ entity: one, index: 'on', own: false }, { entity: two, index: 'on', own: false }] });
  expect(paths(await sandbox.json<Hit[]>(['search', 'secret'])).toSorted()).toEqual(['one.txt', 'two.txt']);
  const caches = (): string[] => readdirSync(sandbox.path('cache'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sqlite'));
  const before = caches();
  expect(await settings('--index', 'off', '--entity', one ?? '')).toMatchObject({ index: 'on', entities: [{ entity: one, index: 'off', own: true }, { index: 'on' }] });
  // Its file is gone, words and all.
  expect(caches().filter((name) => before.includes(name))).toHaveLength(1);
  const part = await sandbox.run(['search', 'secret']);
  expect(part).toMatchObject({ code: 3 });
  expect(part.stdout).toContain('two.txt');
  expect(part.stderr).toContain(`${one}: not indexed, because that is turned off`);
  expect(await sandbox.json(['search', 'secret', '--entity', one ?? ''], 1)).toMatchObject({ error: { code: 'search/not-indexed' } });
  // Days and folders need no words.
  expect(await sandbox.json(['days', '--entity', one ?? ''])).toMatchObject([{ entity: one, snapshots: 1 }]);
  await settings('--index', 'off');
  const none = await sandbox.run(['search', 'secret']);
  expect(none).toMatchObject({ code: 1, stdout: '' });
  expect(none.stderr).toContain('Not indexed');
  await settings('--index', 'on');
  await settings('--index', 'default', '--entity', one ?? '');
  expect((await sandbox.run(['repo', 'settings'])).stdout).toBe('search index: on\n');
  expect(paths(await sandbox.json<Hit[]>(['search', 'secret'])).toSorted()).toEqual(['one.txt', 'two.txt']);
  expect(await sandbox.json(['repo', 'settings', '--index', 'off', '--entity', 'nobody'], 1)).toMatchObject({ error: { code: 'cli/no-entity' } });
  expect((await sandbox.run(['repo', 'settings', '--entity', one ?? ''])).code).toBe(2);
});
