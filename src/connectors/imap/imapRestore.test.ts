import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDovecot, type Dovecot } from '../../../tests/servers/dovecot.ts';
import { startImapProxy, type ImapProxy } from '../../../tests/servers/imapProxy.ts';
import { TestMailbox } from '../../../tests/servers/testMailbox.ts';
import { isHoldfastError, type ItemRow } from '../../domain/index.ts';
import { modelRun, type SnapshotModel } from '../conformance.ts';
import type { RestoreItem, RestoreMode, WriteResult } from '../contract.ts';
import { openSource, openTarget } from './index.ts';

let server: Dovecot;
let other: Dovecot;
let proxy: ImapProxy;
let serial = 0;
const signal = new AbortController().signal;

beforeAll(async () => {
  const users = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`user${i}@example.test`, 'pw']));
  server = await startDovecot({ users });
  // A server of another kind: other separator, a prefix, no UIDPLUS.
  other = await startDovecot({ users, separator: '.', prefix: 'INBOX.', without: ['UIDPLUS', 'LITERAL+', 'QRESYNC'], format: 'sdbox' });
  proxy = await startImapProxy(server.port);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
  await other.stop();
});

const newUser = (): string => `user${serial++}@example.test`;

function settings(at: { port: number }, user: string): { host: string; port: number; user: string; password: string; tls: 'off' } {
  return { host: '127.0.0.1', port: at.port, user, password: 'pw', tls: 'off' };
}

async function backup(at: { port: number }, user: string): Promise<SnapshotModel> {
  const session = await openSource(settings(at, user), signal);
  return (await modelRun(session).finally(async () => await session.close())).snapshot;
}

function itemOf(snapshot: SnapshotModel, row: ItemRow): RestoreItem {
  const path: string[] = [];
  for (let above = snapshot.byKey.get(row.parent); above !== undefined; above = snapshot.byKey.get(above.parent)) path.unshift(above.name);
  return { row, path };
}

interface Restored {
  readonly plan: readonly WriteResult[];
  /** Path -> result. */
  readonly results: ReadonlyMap<string, WriteResult>;
}

/** As the recovery does it: plan, folders, then what the plan gave 'written' or 'replaced'. */
async function restore(snapshot: SnapshotModel, at: { port: number }, user: string, mode: RestoreMode, dryRun = false): Promise<Restored> {
  const session = await openTarget(settings(at, user), { mode, folderName: 'Restored 2026-01-02' }, signal);
  try {
    const items = snapshot.sorted.map((row) => itemOf(snapshot, row));
    const plan = await session.plan(items, signal);
    const results = new Map<string, WriteResult>();
    if (dryRun) return { plan, results };
    for (const [i, item] of items.entries()) {
      const path = snapshot.pathOf(item.row);
      if (item.row.kind === 'folder') results.set(path, await session.folder(item, signal));
      else if (['written', 'replaced'].includes(plan[i]?.result ?? '')) {
        results.set(path, await session.write(item, snapshot.bytesOf(item.row) ?? Buffer.alloc(0), signal));
      }
    }
    await session.finish(signal);
    return { plan, results };
  } finally {
    await session.close();
  }
}

/** Path, flags, date and bytes of every mail and folder, for comparing two mailboxes. */
function picture(snapshot: SnapshotModel, strip = ''): string[] {
  return snapshot.sorted.filter((row) => snapshot.pathOf(row).startsWith(strip)).map((row) => {
    const meta = JSON.parse(row.meta) as Record<string, unknown>;
    delete meta['delimiter'];
    return JSON.stringify([snapshot.pathOf(row).slice(strip.length), row.kind, row.modified, row.kind === 'folder' ? '' : meta, row.content]);
  }).filter((line) => !line.startsWith('[""')).sort();
}

async function filled(at: Dovecot): Promise<string> {
  const user = newUser();
  const box = await TestMailbox.open(at, user);
  const joint = at === other ? '.' : '/';
  const top = at === other ? 'INBOX.' : '';
  await box.create(`${top}Arbeit &- Spiel`, `${top}Arbeit &- Spiel${joint}T&AOQ-glich${joint}&2D3eAA-`);
  await box.save('INBOX', undefined, { flags: '\\Seen \\Answered $Label1 NonJunk', date: '17-Jul-1996 02:44:25 -0700' });
  await box.save('INBOX', Buffer.from('Subject: =?utf-8?q?gr=C3=BCn?=\r\n\r\nx\r\n'), { date: ' 1-Feb-2020 23:59:59 +0530' });
  await box.save(`${top}Arbeit &- Spiel${joint}T&AOQ-glich${joint}&2D3eAA-`, undefined, { flags: '\\Draft \\Deleted' });
  const twin = Buffer.from('Subject: Twin\r\n\r\nsame\r\n');
  for (let i = 0; i < 2; i++) await box.save(`${top}Sent`, twin, { date: '01-Jan-2024 00:00:00 +0000' });
  await box.send(`SUBSCRIBE "${top}Arbeit &- Spiel"`);
  box.close();
  return user;
}

test('puts everything into a new folder, once, however often it is asked', async () => {
  const from = await filled(server);
  const snapshot = await backup(server, from);
  const to = newUser();
  const first = await restore(snapshot, server, to, 'separate');
  expect([...first.results.values()].map(({ result }) => result)).not.toContain('failed');
  const after = await backup(server, to);
  expect(picture(after, 'Restored 2026-01-02/')).toEqual(picture(snapshot));
  const again = await restore(snapshot, server, to, 'separate');
  expect(new Set(again.plan.map(({ result }) => result))).toEqual(new Set(['unchanged']));
  expect(picture(await backup(server, to))).toEqual(picture(after));
});

test('puts everything back in its place, into the special folders of the destination, and a second run writes nothing', async () => {
  const from = await filled(server);
  const snapshot = await backup(server, from);
  for (const mode of ['skip', 'replace'] as const) {
    const to = newUser();
    await restore(snapshot, server, to, mode);
    const after = await backup(server, to);
    expect(picture(after)).toEqual(picture(snapshot));
    proxy.reset();
    const again = await restore(snapshot, proxy, to, mode);
    expect(new Set(again.plan.map(({ result }) => result))).toEqual(new Set(mode === 'skip' ? ['skipped', 'unchanged'] : ['unchanged']));
    expect(proxy.commands.filter((command) => /^(APPEND|UID STORE|CREATE)/.test(command))).toEqual([]);
  }
});

test('crosses to a server with another separator, a prefix and no UIDPLUS, and back', async () => {
  const from = await filled(server);
  const snapshot = await backup(server, from);
  const to = newUser();
  const there = await restore(snapshot, other, to, 'replace');
  expect([...there.results.values()].filter(({ result }) => result === 'failed' || result === 'altered')).toEqual([]);
  const across = await backup(other, to);
  const mails = (model: SnapshotModel): string[] => picture(model).filter((line) => line.includes('"mail"')).map((line) => line.replace('"INBOX/', '"')).sort();
  expect(mails(across)).toEqual(mails(snapshot));
  const again = await restore(snapshot, other, to, 'replace');
  expect(new Set(again.plan.map(({ result }) => result))).toEqual(new Set(['unchanged']));
});

test('names with the separator of the destination are changed and told', async () => {
  const user = newUser();
  // Maildir has no dots in names.
  const dotted = await startDovecot({ users: { [user]: 'pw' }, format: 'sdbox' });
  const box = await TestMailbox.open(dotted, user);
  await box.create('a.b', 'a_b');
  await box.save('a.b');
  await box.save('a_b');
  const snapshot = await backup(dotted, user).finally(async () => await dotted.stop());
  const to = newUser();
  const { results } = await restore(snapshot, other, to, 'replace');
  expect(results.get('a.b')).toMatchObject({ result: 'altered', outcome: { code: 'renamed' } });
  const after = await backup(other, to);
  expect(after.find('INBOX/a_b/Mail 1')).toBeDefined();
  expect(after.find('INBOX/a_b (2)/Mail 2')).toBeDefined();
});

test('a dry run tells what would be done and changes nothing', async () => {
  const from = await filled(server);
  const snapshot = await backup(server, from);
  const to = newUser();
  const before = picture(await backup(server, to));
  proxy.reset();
  const { plan } = await restore(snapshot, proxy, to, 'replace', true);
  expect(plan.filter(({ result }) => result === 'written')).toHaveLength(8);
  expect(proxy.commands.filter((command) => /^(APPEND|UID STORE|CREATE|SUBSCRIBE|SELECT)/.test(command))).toEqual([]);
  expect(picture(await backup(server, to))).toEqual(before);
});

test('replace repairs flags and brings back what is missing; skip leaves what stands', async () => {
  const user = await filled(server);
  const snapshot = await backup(server, user);
  const box = await TestMailbox.open(server, user);
  await box.send('SELECT INBOX');
  await box.send('UID STORE 1 FLAGS (\\Flagged)');
  await box.expunge('INBOX', '2');
  const skipped = await restore(snapshot, server, user, 'skip');
  expect(skipped.results.get('INBOX/grün')).toEqual({ result: 'written' });
  const between = await backup(server, user);
  expect(JSON.parse(between.find('INBOX/Mail 1')?.meta ?? '')).toMatchObject({ flags: ['\\Flagged'] });
  const replaced = await restore(snapshot, server, user, 'replace');
  expect(replaced.results.get('INBOX/Mail 1')).toEqual({ result: 'replaced' });
  expect(picture(await backup(server, user))).toEqual(picture(snapshot));
});

test('an append whose answer is lost is not done twice', async () => {
  const from = newUser();
  const box = await TestMailbox.open(server, from);
  for (let i = 0; i < 12; i++) await box.save('INBOX', Buffer.from(`Subject: Mail ${i}\r\n\r\n${'x'.repeat(2000)}\r\n`));
  const snapshot = await backup(server, from);
  for (const cut of [1, 30, 300]) {
    const to = newUser();
    const session = await openTarget({ ...settings(proxy, to), connections: 1 }, { mode: 'replace', folderName: '' }, signal);
    const items = snapshot.sorted.filter((row) => row.kind === 'mail').map((row) => itemOf(snapshot, row));
    for (const [i, item] of items.entries()) {
      if (i === 4) proxy.cutAfter(cut);
      expect((await session.write(item, snapshot.bytesOf(item.row) ?? Buffer.alloc(0), signal)).result).toBe('written');
    }
    await session.finish(signal);
    await session.close();
    const after = await backup(server, to);
    expect(after.sorted.filter((row) => row.kind === 'mail').map((row) => row.name).sort())
      .toEqual(items.map((item) => item.row.name).sort());
  }
});

test('finish tells when mails that the server took are not there', async () => {
  const from = await filled(server);
  const snapshot = await backup(server, from);
  const to = newUser();
  const session = await openTarget(settings(server, to), { mode: 'replace', folderName: '' }, signal);
  const row = snapshot.find('INBOX/Mail 1');
  if (row === undefined) throw new Error('no mail');
  await session.write(itemOf(snapshot, row), snapshot.bytesOf(row) ?? Buffer.alloc(0), signal);
  const box = await TestMailbox.open(server, to);
  await box.expunge('INBOX', '1');
  const error: unknown = await session.finish(signal).catch((failure: unknown) => failure);
  expect(isHoldfastError(error) && error.code).toBe('imap/restore-incomplete');
  await session.close();
});

test('a mail that the server changes is reported as altered', async () => {
  const user = newUser();
  const bytes = Buffer.from('Subject: bare\n\nline\nends\n');
  const row: ItemRow = {
    key: 'x', parent: '', name: 'bare', kind: 'mail', size: bytes.length, modified: 0, change: '', meta: '', outcome: '',
    content: createHash('sha256').update(bytes).digest('hex'),
  };
  const session = await openTarget(settings(server, user), { mode: 'replace', folderName: '' }, signal);
  expect(await session.write({ row, path: ['INBOX'] }, bytes, signal)).toMatchObject({ result: 'altered', outcome: { code: 'bytes-changed' } });
  await session.finish(signal);
  await session.close();
});
