import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { TestMailbox } from '../servers/testMailbox.ts';
import { readMails, readManifest, testZip } from '../export/readers.ts';
import { CliSandbox } from './cliSandbox.ts';

const PASSWORD = 'pass phrase with spaces';
const USERS = ['ann@example.test', 'bob@example.test', 'cat@example.test', 'dan@example.test', 'eve@example.test', 'fay@example.test'];

let server: Dovecot;

beforeAll(async () => {
  server = await startDovecot({ users: Object.fromEntries(USERS.map((user) => [user, PASSWORD])), tokens: { 'token-of-ann': 'ann@example.test' } });
});
afterAll(async () => { await server.stop(); });

interface Item {
  readonly path: string;
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** Options that reach a user's mailbox over TLS, trusting the server's own authority. */
function reach(sandbox: CliSandbox, user: string): string[] {
  writeFileSync(sandbox.path('password'), `${PASSWORD}\n`);
  return ['--host', 'localhost', '--port', String(server.tlsPort), '--ca-file', server.caFile, '--user', user,
    '--password-file', sandbox.path('password')];
}

/** Folder names go over the wire in modified UTF-7: '&-' is '&'. */
async function fill(user: string): Promise<void> {
  const mailbox = await TestMailbox.open(server, user, PASSWORD);
  await mailbox.create('Work', 'Work/Plans &- more');
  await mailbox.saveMany('INBOX', 3);
  await mailbox.save('Work/Plans &- more', undefined, { flags: '\\Seen $Label1', date: '17-Jul-1996 02:44:25 -0700' });
  mailbox.close();
}

test('one command protects a mailbox from a fresh machine; later ones add what changed', async () => {
  using sandbox = new CliSandbox();
  await fill('ann@example.test');
  const command = ['backup', 'imap', ...reach(sandbox, 'ann@example.test'), '--init'];
  const first = await sandbox.json<{ id: string }>(command);
  expect(first).toMatchObject({
    service: 'imap', entity: 'imap:ann@example.test@localhost', status: 'complete', items: 4, changed: 0, removed: 0, warnings: 0,
    made: { keyFileMade: true },
  });
  const mailbox = await TestMailbox.open(server, 'ann@example.test', PASSWORD);
  await mailbox.addFlags('INBOX', '1', '\\Flagged');
  await mailbox.expunge('INBOX', '2');
  await mailbox.save('Work');
  mailbox.close();
  const second = await sandbox.json<{ id: string }>(command);
  expect(second).toMatchObject({ items: 4, added: 1, changed: 1, removed: 1 });
  expect(second).not.toHaveProperty('made');

  const found = await sandbox.json<(Item & { change: string; parts?: string[] })[]>(['diff', first.id, second.id]);
  expect(found.map(({ change, path, parts }) => ({ change, path, parts }))).toEqual(expect.arrayContaining([
    { change: 'changed', path: 'INBOX/Mail 1', parts: ['fields'] },
    { change: 'removed', path: 'INBOX/Mail 2', parts: undefined },
    { change: 'added', path: 'Work/Mail 1', parts: undefined },
  ]));
  expect(found).toHaveLength(3);
});

test('ls goes into folders by the names that it shows', async () => {
  using sandbox = new CliSandbox();
  await fill('bob@example.test');
  await sandbox.json(['backup', 'imap', ...reach(sandbox, 'bob@example.test'), '--init']);
  const paths = async (...args: string[]): Promise<string[]> => (await sandbox.json<Item[]>(['ls', 'latest', ...args])).map(({ path }) => path);
  expect(await paths()).toEqual(expect.arrayContaining(['INBOX', 'Work', 'Sent', 'Trash']));
  expect(await paths('Work')).toEqual(['Work/Plans & more']);
  expect(await paths('Work/Plans & more')).toEqual(['Work/Plans & more/Mail 4']);
  expect(await paths('INBOX')).toEqual(['INBOX/Mail 1', 'INBOX/Mail 2', 'INBOX/Mail 3']);
  expect(await paths('Work', '--recursive')).toEqual(['Work/Plans & more', 'Work/Plans & more/Mail 4']);
  const [mail] = await sandbox.json<Item[]>(['ls', 'latest', 'Work/Plans & more/Mail 4']);
  expect(mail).toMatchObject({ name: 'Mail 4', kind: 'mail', modified: '1996-07-17T09:44:25.000Z' });
});

test('a mailbox, or a folder of it, is exported as EML, MBOX and ZIP', async () => {
  using sandbox = new CliSandbox();
  await fill('fay@example.test');
  await sandbox.json(['backup', 'imap', ...reach(sandbox, 'fay@example.test'), '--init']);
  const { items } = (await sandbox.json<{ items: number }[]>(['snapshots']))[0] ?? { items: 0 };
  const mails: Record<string, string[]> = {};
  for (const format of ['eml', 'mbox', 'zip']) {
    expect(await sandbox.json(['export', 'latest', '--format', format, '--to', sandbox.path(format)])).toMatchObject({ items, missing: 0, issues: [] });
    mails[format] = readManifest(sandbox.path(format)).filter(({ type }) => type === 'item').map(({ path, sha256 }) => `${path} ${sha256}`).sort();
  }
  expect(mails['eml']).toHaveLength(items);
  expect([mails['mbox'], mails['zip']]).toEqual([mails['eml'], mails['eml']]);
  expect(await sandbox.json(['export', 'latest', '--format', 'mbox', '--to', sandbox.path('one'), '--path', 'Work/Plans & more'])).toMatchObject({ items: 1, files: 1 });
  const [read] = await readMails('mbox', [sandbox.path('one', 'Work', 'Plans & more.mbox')]);
  expect(read).toMatchObject({ subject: 'Mail 4', line: expect.stringMatching(/ Wed Jul 17 09:44:25 1996$/) });
  await testZip(sandbox.path('zip', 'export-0001.zip'));
});

test('token, standard input, STARTTLS and clear text reach it too', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['repo', 'init']);
  writeFileSync(sandbox.path('token'), 'token-of-ann');
  const to = (port: number, ...more: string[]): string[] =>
    ['backup', 'imap', '--host', 'localhost', '--port', String(port), '--ca-file', server.caFile, '--user', 'ann@example.test', ...more];
  for (const [args, stdin] of [
    [to(server.tlsPort, '--token-file', sandbox.path('token')), undefined],
    [to(server.port, '--tls', 'starttls', '--token-file', '-'), 'token-of-ann\n'],
    [to(server.port, '--tls', 'off', '--password-file', '-', '--connections', '1'), PASSWORD],
  ] as const) {
    expect(await sandbox.json(args, 0, stdin === undefined ? {} : { stdin })).toMatchObject({ status: 'complete' });
  }
});

test('what cannot work says why, and never says the password', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['repo', 'init']);
  writeFileSync(sandbox.path('wrong'), 'not the word');
  writeFileSync(sandbox.path('nothing'), '\n');
  const base = ['backup', 'imap', '--host', 'localhost', '--user', 'ann@example.test'];
  const tls = ['--port', String(server.tlsPort)];
  const trusted = ['--ca-file', server.caFile];
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [[...base, ...tls, ...trusted, '--password-file', sandbox.path('wrong')], 1, 'imap/auth-failed'],
    [[...base, ...tls, '--password-file', sandbox.path('wrong')], 1, 'imap/tls'],
    [[...base, '--port', '1', '--password-file', sandbox.path('wrong')], 1, 'imap/unavailable'],
    [[...base, ...tls], 2, 'usage/no-password'],
    [[...base, ...tls, '--password-file', sandbox.path('none')], 1, 'cli/secret-unreadable'],
    [[...base, ...tls, '--password-file', sandbox.path('nothing')], 1, 'cli/secret-empty'],
    [[...base, ...tls, '--ca-file', sandbox.path('none'), '--password-file', sandbox.path('wrong')], 1, 'cli/ca-unreadable'],
  ];
  for (const [args, code, error] of cases) {
    const said = await sandbox.run(args);
    expect([said.code, said.stdout], said.stderr).toEqual([code, '']);
    expect(said.stderr).toContain(`[${error}]`);
    expect(said.stderr).not.toContain('not the word');
  }
  expect(await sandbox.json(['snapshots'])).toEqual([]);
});

test('the password is in no argument of the process and in nothing that it says', async () => {
  using sandbox = new CliSandbox();
  const running = sandbox.start(['backup', 'imap', ...reach(sandbox, 'cat@example.test'), '--init', '--json']);
  const commandLine = readFileSync(`/proc/${running.child.pid}/cmdline`, 'utf8') + readFileSync(`/proc/${running.child.pid}/environ`, 'utf8');
  const said = await running.ended;
  expect(said.code, said.stderr).toBe(0);
  for (const text of [commandLine, said.stdout, said.stderr]) expect(text).not.toContain(PASSWORD);
});

interface Restored {
  readonly written: number;
  readonly unchanged: number;
  readonly issues: readonly object[];
}

/** What a mailbox holds besides the folders that every new one has, as doveadm tells it. */
async function held(user: string): Promise<string[]> {
  const fields = 'mailbox flags date.received size.physical hdr.message-id';
  const text = (await server.doveadm(['-f', 'tab', 'fetch', '-u', user, fields, 'ALL'])).toString();
  // \Recent is the state of a session, not of a mail.
  return text.trim().split('\n').slice(1).map((line) => line.replace(/ ?\\Recent/, '')).sort();
}

test('mail comes back into another account: first told, then written, then not again', async () => {
  using sandbox = new CliSandbox();
  const from = 'dan@example.test';
  const to = 'eve@example.test';
  await fill(from);
  await sandbox.json(['backup', 'imap', ...reach(sandbox, from), '--init']);
  const restore = ['restore', 'imap', 'latest', ...reach(sandbox, to), '--mode', 'skip'];

  expect(await sandbox.json<Restored>([...restore, '--dry-run'])).toMatchObject({ dryRun: true, written: 4, bytes: 0, issues: [] });
  expect(await held(to)).toEqual([]);
  expect(await sandbox.json<Restored>(restore)).toMatchObject({ dryRun: false, written: 4, failed: 0, issues: [] });
  expect(await held(to)).toEqual(await held(from));
  expect(await sandbox.json<Restored>(restore)).toMatchObject({ written: 0, skipped: 4, folders: 0, issues: [] });
  expect(await held(to)).toEqual(await held(from));

  const one = [...restore.slice(0, -1), 'separate', '--folder', 'Back', '--path', 'Work/Plans & more'];
  expect(await sandbox.json<Restored>(one)).toMatchObject({ written: 1 });
  expect((await held(to)).filter((line) => line.startsWith('Back/'))).toHaveLength(1);
  const { stdout } = await sandbox.run([...one, '--dry-run']);
  expect(stdout).toMatch(/^Nothing was written\. A restore of snapshot [0-9a-f]{32} would give:\n {2}1 item in 0 folders: 1 unchanged\n$/);
});

test('a snapshot of a mailbox comes back as files too, one of a folder not as mail', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['backup', 'imap', ...reach(sandbox, 'dan@example.test'), '--init']);
  const restore = ['restore', 'folder', 'latest', '--to', sandbox.path('out'), '--path', 'Work'];
  expect(await sandbox.json<Restored>(restore)).toMatchObject({ written: 1, issues: [] });
  const files = readdirSync(sandbox.path('out'), { recursive: true }).map(String).sort();
  expect(files.slice(0, 2)).toEqual(['Work', 'Work/Plans & more']);
  expect(readFileSync(sandbox.path('out', files[2] ?? ''), 'utf8')).toContain('Subject: Mail 4\r\n');
  expect(files).toHaveLength(3);

  mkdirSync(sandbox.path('tree'));
  await sandbox.json(['backup', 'folder', sandbox.path('tree')]);
  const wrong = ['restore', 'imap', 'latest', '--entity', 'tree', ...reach(sandbox, 'eve@example.test')];
  expect(await sandbox.json(wrong, 1)).toMatchObject({ error: { code: 'cli/no-mailbox' } });
});
