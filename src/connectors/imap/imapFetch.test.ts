import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDovecot, type Dovecot } from '../../../tests/servers/dovecot.ts';
import { startImapProxy, type ImapProxy } from '../../../tests/servers/imapProxy.ts';
import { TestMailbox } from '../../../tests/servers/testMailbox.ts';
import { modelRun, type ModelRun, type SnapshotModel } from '../conformance.ts';
import { openSource, type ImapSettings } from './index.ts';

let server: Dovecot;
let proxy: ImapProxy;
let serial = 0;
const signal = new AbortController().signal;

beforeAll(async () => {
  const users = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`user${i}@example.test`, 'pw']));
  server = await startDovecot({ users, maxUserIpConnections: 3 });
  proxy = await startImapProxy(server.port);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const newBox = async (): Promise<TestMailbox> => await TestMailbox.open(server, `user${serial++}@example.test`);

async function run(box: TestMailbox, previous?: SnapshotModel, more: Partial<ImapSettings> = {}): Promise<ModelRun> {
  const session = await openSource({ host: '127.0.0.1', port: proxy.port, user: box.user, password: 'pw', tls: 'off', ...more }, signal);
  return await modelRun(session, previous).finally(async () => await session.close());
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What the server itself gives, by a client that shares nothing with ours. */
async function servedBytes(box: TestMailbox, uid: number): Promise<Buffer> {
  const answer = await box.send(`UID FETCH ${uid} BODY.PEEK[]`);
  const match = /BODY\[\] \{(\d+)\}\r\n/.exec(answer);
  if (match === null) return Buffer.from(/BODY\[\] "(.*)"/.exec(answer)?.[1] ?? '', 'latin1');
  const start = match.index + match[0].length;
  return Buffer.from(answer.slice(start, start + Number(match[1])), 'latin1');
}

/** Hand-made nuisances; the corpus beside the checkout, where there is one, brings real ones. */
const NASTY: readonly Buffer[] = [
  '', '\r\n', 'no header at all', 'Subject: bare\nlines\n\nbody\n', 'Subject: cr\rin\r\rit\r\n\r\nx\r\r\n', '\r\nonly a body\r\n',
  'Subject: nul\0byte\r\n\r\na\0b\r\n', 'Subject: \xe4\xf6\xfc raw\r\n\r\n\xff\xfe\r\n', ')\r\n* 1 FETCH (UID 1 FLAGS ())\r\n', '{5}\r\nabc',
  'Subject: =?utf-8?B?8J+YgA==?= =?iso-8859-1?q?=E4?=\r\nFrom: "A, B" <a@b.test>, c@d.test\r\nDate: Thu, 1 Feb 2024 10:00:00 GMT\r\n\r\n.\r\n..\r\n',
  `X-Long: ${'a'.repeat(70_000)}\r\nSubject: long\r\n\r\n${'b'.repeat(100_000)}`,
].map((text) => Buffer.from(text, 'latin1'));

async function corpus(): Promise<Buffer[]> {
  const directory = join(import.meta.dirname, '../../../../shared/reference/corpus/eml');
  if (!existsSync(directory)) return [];
  const names = (await readdir(directory)).sort();
  // A part of them here; all of them are for the whole flow.
  return await Promise.all(names.filter((_name, i) => i % 8 === 0).map((name) => readFile(join(directory, name))));
}

test('every content arrives byte for byte, whatever it is', async () => {
  const box = await newBox();
  const mails = [...NASTY, ...await corpus()];
  const saved: Buffer[] = [];
  for (const mail of mails) {
    // Dovecot takes no empty mail and no NUL over IMAP; doveadm brings NULs in.
    if (mail.length === 0) continue;
    if (mail.includes(0)) await server.doveadm(['save', '-u', box.user, '-m', 'INBOX'], mail);
    else await box.save('INBOX', mail);
  }
  await box.send('EXAMINE INBOX');
  for (let uid = 1; uid < mails.length; uid++) saved.push(await servedBytes(box, uid));
  const { snapshot } = await run(box);
  const rows = snapshot.sorted.filter((row) => row.kind === 'mail');
  expect(rows.map((row) => row.content)).toEqual(saved.map(sha));
  expect(rows.filter((row) => row.outcome !== '')).toEqual([]);
  expect(rows.map((row) => row.name)).toContain('😀ä');
  // What recognises them later comes the same from a listing of headers as from the content.
  await box.doveadm('mailbox update', '--uid-validity', '77', 'INBOX');
  const again = await run(box, snapshot);
  const twins = saved.filter((mail, i) => saved.some((other, j) => i !== j && other.equals(mail))).length;
  expect(again.fetched.length).toBeLessThanOrEqual(twins);
  expect(again.snapshot.sorted.filter((row) => row.kind === 'mail').map((row) => row.content)).toEqual(saved.map(sha));
});

test('large contents go through a file', async () => {
  const box = await newBox();
  const large = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.from('0123456789abcdef'.repeat(64)).fill('x', 0, 10)]);
  const mail = Buffer.concat([large, Buffer.from(`${'line of text\r\n'.repeat(700_000)}`)]);
  await box.save('INBOX', mail);
  const files: boolean[] = [];
  const session = await openSource({ host: '127.0.0.1', port: proxy.port, user: box.user, password: 'pw', tls: 'off' }, signal);
  const { fetch } = session;
  session.fetch = async function* watched(items, context) {
    for await (const fetched of fetch.call(session, items, context)) {
      files.push('file' in fetched);
      yield fetched;
    }
  };
  const { snapshot } = await modelRun(session).finally(async () => await session.close());
  expect(files).toEqual([true]);
  expect(snapshot.find('INBOX/large')?.content).toBe(sha(mail));
});

test('a connection that breaks in the middle costs a new one, and no mail twice', async () => {
  const box = await newBox();
  const bodies = Array.from({ length: 40 }, (_, i) => Buffer.from(`Subject: ${i}\r\n\r\n${String(i).repeat(20_000)}\r\n`));
  for (const body of bodies) await box.save('INBOX', body);
  for (const [bytes, connections] of [[500, 1], [2000, 1], [3000, 1], [100_000, 1], [300_001, 1], [250_000, 3]] as const) {
    proxy.reset();
    // Small ones cut into the login and the listing.
    proxy.cutAfter(bytes, bytes < 10_000 ? 1 : 2);
    const { snapshot, fetched } = await run(box, undefined, { connections });
    expect(snapshot.sorted.filter((row) => row.kind === 'mail').map((row) => row.content)).toEqual(bodies.map(sha));
    expect(fetched).toHaveLength(bodies.length);
    expect(proxy.connections).toBeGreaterThan(1);
  }
});

test('a server that breaks off every time ends the run with an error that says so', async () => {
  const box = await newBox();
  await box.saveMany('INBOX', 3);
  const session = await openSource({ host: '127.0.0.1', port: proxy.port, user: box.user, password: 'pw', tls: 'off' }, signal);
  proxy.cutAfter(10, 1000);
  await expect(modelRun(session)).rejects.toMatchObject({ code: 'imap/unavailable', retryClass: 'retry' });
  proxy.cutAfter(1 << 30);
  await session.close();
}, 30_000);

test('uses several connections, and fewer where the server allows no more', async () => {
  const box = await newBox();
  for (let i = 0; i < 64; i++) await box.save('INBOX', Buffer.from(`Subject: ${i}\r\n\r\n${'x'.repeat(200_000)}`));
  for (const taken of [0, 1]) {
    const others = await Promise.all(Array.from({ length: taken }, () => TestMailbox.open(server, box.user)));
    proxy.reset();
    proxy.delay(2);
    // The server allows three; the test's own one is the first.
    const { snapshot } = await run(box, undefined, { connections: 6 });
    proxy.delay(0);
    expect(snapshot.sorted.filter((row) => row.content !== '')).toHaveLength(64);
    expect(snapshot.sorted.filter((row) => row.outcome !== '')).toEqual([]);
    const worked = proxy.commands.filter((command) => command === 'NAMESPACE').length;
    if (taken === 0) expect(worked).toBeGreaterThanOrEqual(2);
    else expect(worked).toBe(1);
    expect(proxy.peak).toBeGreaterThanOrEqual(2);
    for (const other of others) other.close();
  }
});

test('mails at which the server drops the connection each time cost nobody else', async () => {
  const box = await newBox();
  await box.saveMany('INBOX', 12);
  await box.doveadm('force-resync', 'INBOX');
  const directory = join(server.mailDirectory(box.user), 'cur');
  await box.send('SELECT INBOX');
  for (const [i, file] of (await readdir(directory)).sort().entries()) {
    // A size in the name that is larger than the file makes Dovecot hang up once it notices.
    if (i % 4 === 1) await rename(join(directory, file), join(directory, file.replace(/,S=\d+,W=\d+/, ',S=9999,W=9999')));
  }
  proxy.reset();
  const { snapshot } = await run(box, undefined, { connections: 2 });
  const mails = snapshot.sorted.filter((row) => row.kind === 'mail');
  expect(mails).toHaveLength(12);
  for (const row of mails) {
    if (row.outcome === '') expect(snapshot.bytesOf(row)?.toString()).toMatch(/Body \d+\r\n$/);
    else expect(JSON.parse(row.outcome)).toMatchObject({ state: 'failed', code: 'unreadable' });
  }
  expect(mails.filter((row) => row.outcome !== '').length).toBeLessThanOrEqual(3);
  expect(proxy.connections).toBeGreaterThan(2);
});

test('a mail that can not be read is named, and fetched by the next run', async () => {
  const box = await newBox();
  await box.saveMany('INBOX', 3);
  const files = (await Promise.all(['new', 'cur'].map(async (name) => {
    const directory = join(server.mailDirectory(box.user), name);
    return (await readdir(directory)).map((file) => join(directory, file));
  }))).flat().sort();
  const victim = files[1] ?? '';
  await chmod(victim, 0);
  const first = await run(box).finally(async () => await chmod(victim, 0o600));
  const mails = first.snapshot.sorted.filter((row) => row.kind === 'mail');
  expect(mails).toHaveLength(3);
  expect(mails.filter((row) => row.outcome !== '').map((row) => JSON.parse(row.outcome) as unknown)).toMatchObject([{ state: 'failed' }]);
  expect(mails.filter((row) => row.content !== '')).toHaveLength(2);
  const second = await run(box, first.snapshot);
  expect(second.fetched).toHaveLength(1);
  expect(second.snapshot.sorted.filter((row) => row.content !== '')).toHaveLength(3);
});
