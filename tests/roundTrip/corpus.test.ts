import { afterAll, beforeAll, expect, test } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import { runBackup } from '../../src/backup/index.ts';
import type { RestoreMode } from '../../src/connectors/contract.ts';
import { descriptor, openSource, openTarget } from '../../src/connectors/imap/index.ts';
import { restoreFolder, restoreToTarget, type RestoreReport } from '../../src/recovery/index.ts';
import type { Manifest } from '../../src/repository/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { startImapProxy, type ImapProxy } from '../servers/imapProxy.ts';
import { TestMailbox } from '../servers/testMailbox.ts';
import { folderNames, linesOf, readWithDoveadm, readWithPython } from './independentClients.ts';
import { nastyMails } from './nastyMails.ts';
import { fillFolders, makeOddFolders, ODD_FOLDERS } from './oddMailbox.ts';
import { never, ScratchRepository, sha256, unheard } from './scratchRepository.ts';

const FROM = 'from@example.test';
const EMPTY = 'empty@example.test';
const OTHER = 'other@example.test';
const ROUGH = 'rough@example.test';
const PREFIX = 'Given back/';
const { origin, mails } = nastyMails();
const WRITES = /^(APPEND|CREATE|RENAME|DELETE|SUBSCRIBE|(UID )?(STORE|COPY|MOVE|EXPUNGE))/;

let server: Dovecot;
let proxy: ImapProxy;
let scratch: ScratchRepository;
let manifest: Manifest;
let folders: readonly string[];

const settings = (user: string) => ({ host: '127.0.0.1', port: proxy.port, user, password: 'pw', tls: 'off' }) as const;

beforeAll(async () => {
  server = await startDovecot({ users: { [FROM]: 'pw', [EMPTY]: 'pw', [OTHER]: 'pw', [ROUGH]: 'pw' }, format: 'sdbox' });
  proxy = await startImapProxy(server.port);
  scratch = await ScratchRepository.make();
  const mailbox = await TestMailbox.open(server, FROM);
  folders = await makeOddFolders(mailbox);
  await fillFolders(mailbox, folders, mails);
  mailbox.close();
  const source = await openSource(settings(FROM), never);
  try {
    manifest = await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock });
  } finally {
    await source.close();
  }
});
afterAll(async () => {
  scratch[Symbol.dispose]();
  await proxy.stop();
  await server.stop();
});

/** A restore, and the commands that changed something at the server. */
async function restore(user: string, mode: RestoreMode, dryRun = false): Promise<RestoreReport & { readonly writes: readonly string[] }> {
  proxy.reset();
  const target = await openTarget(settings(user), { mode, folderName: PREFIX.slice(0, -1) }, never);
  try {
    const report = await restoreToTarget(scratch.repository, manifest, target, { dryRun, signal: never, progress: unheard });
    return { ...report, writes: proxy.commands.filter((command) => WRITES.test(command)) };
  } finally {
    await target.close();
  }
}

test(`the snapshot of ${origin} is complete`, () => {
  // All but two of the names, and the INBOX: some the server refuses to make.
  expect(folders.length).toBeGreaterThanOrEqual(ODD_FOLDERS.length - 1);
  expect(manifest).toMatchObject({ status: 'complete', warnings: [], counts: { items: mails.length, failed: 0, skipped: 0, altered: 0 } });
});

test('a dry run says what would be written and writes nothing', async () => {
  const report = await restore(EMPTY, 'replace', true);
  expect(report).toMatchObject({ written: mails.length, failed: 0, bytes: 0, writes: [] });
  expect(linesOf(await readWithPython(server, EMPTY))).toEqual([]);
});

test('mode replace into an empty account: two other clients find the same folders, bytes, flags and dates', async () => {
  const report = await restore(EMPTY, 'replace');
  expect(report.issues).toEqual([]);
  expect(report).toMatchObject({ written: mails.length, failed: 0 });
  const [before, after] = [await readWithPython(server, FROM), await readWithPython(server, EMPTY)];
  expect(linesOf(before)).toHaveLength(mails.length);
  expect(linesOf(after)).toEqual(linesOf(before));
  expect(folderNames(after)).toEqual(folderNames(before));
  for (const [name, { subscribed, flags }] of before) {
    const special = (all: readonly string[] = []): readonly string[] => all.filter((flag) => /^.(Sent|Drafts|Trash|Junk|Noselect)$/.test(flag));
    expect([name, after.get(name)?.subscribed, special(after.get(name)?.flags)]).toEqual([name, subscribed, special(flags)]);
  }
  expect(await readWithDoveadm(server, EMPTY)).toEqual(await readWithDoveadm(server, FROM));
});

test('mode separate: the same below one new folder, and nothing else is touched', async () => {
  const report = await restore(OTHER, 'separate');
  expect(report.issues).toEqual([]);
  expect(report.written).toBe(mails.length);
  const [before, after] = [await readWithPython(server, FROM), await readWithPython(server, OTHER)];
  expect(linesOf(after, PREFIX)).toEqual(linesOf(before));
  expect(linesOf(after)).toHaveLength(mails.length);
  expect(folderNames(after, PREFIX)).toEqual(folderNames(before));
  expect(await readWithDoveadm(server, OTHER, PREFIX)).toEqual(await readWithDoveadm(server, FROM));
});

test('a second restore writes nothing, in any mode', async () => {
  const held = linesOf(await readWithPython(server, EMPTY));
  expect(await restore(OTHER, 'separate')).toMatchObject({ written: 0, unchanged: mails.length, failed: 0, folders: 0, issues: [], writes: [] });
  expect(await restore(EMPTY, 'replace')).toMatchObject({ written: 0, unchanged: mails.length, failed: 0, folders: 0, issues: [], writes: [] });
  expect(await restore(EMPTY, 'skip')).toMatchObject({ written: 0, skipped: mails.length, failed: 0, folders: 0, issues: [], writes: [] });
  expect(linesOf(await readWithPython(server, EMPTY))).toEqual(held);
});

test('what was lost and changed meanwhile: skip gives back the lost alone, replace the flags too', async () => {
  const before = await readWithPython(server, FROM);
  // Without the corpus a folder holds fewer mails.
  const [gone, flagged] = ['Work', 'INBOX'].map((name) => Math.min(3, before.get(name)?.messages.length ?? 0)) as [number, number];
  expect(Math.min(gone, flagged)).toBeGreaterThan(0);
  const mailbox = await TestMailbox.open(server, EMPTY);
  await mailbox.addFlags('Work', `1:${gone}`, '\\Deleted');
  await mailbox.send(`UID EXPUNGE 1:${gone}`);
  await mailbox.send('SELECT "INBOX"');
  await mailbox.send(`UID STORE 1:${flagged} FLAGS (\\Flagged Changed)`);
  const lost = { written: gone, failed: 0 };
  const dry = await restore(EMPTY, 'replace', true);
  expect(dry).toMatchObject({ ...lost, replaced: flagged, writes: [] });
  expect(await restore(EMPTY, 'skip')).toMatchObject({ ...lost, replaced: 0, skipped: mails.length - gone });
  expect(linesOf(await readWithPython(server, EMPTY))).not.toEqual(linesOf(before));
  const replaced = await restore(EMPTY, 'replace');
  expect(replaced).toMatchObject({ written: 0, replaced: flagged, unchanged: mails.length - flagged, failed: 0 });
  expect(replaced.writes.filter((command) => command.startsWith('APPEND'))).toEqual([]);
  expect(linesOf(await readWithPython(server, EMPTY))).toEqual(linesOf(before));
  mailbox.close();
});

test('as files each mail is one, with the bytes that the server gives', async () => {
  const to = scratch.path('files');
  const report = await restoreFolder(scratch.repository, manifest, { to, descriptor, signal: never, progress: unheard });
  expect(report).toMatchObject({ written: mails.length, failed: 0, issues: [] });
  const files = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.every(({ name }) => name.endsWith('.eml'))).toBe(true);
  const hashes = files.map(({ parentPath, name }) => sha256(readFileSync(`${parentPath}/${name}`))).sort();
  const served = [...(await readWithPython(server, FROM)).values()].flatMap(({ messages }) => messages.map(([hash]) => hash)).sort();
  expect(hashes).toEqual(served);
  const again = await restoreFolder(scratch.repository, manifest, { to, descriptor, signal: never, progress: unheard });
  expect(again).toMatchObject({ written: 0, unchanged: mails.length, failed: 0, issues: [] });
});

test('a mail that the server does not keep byte by byte is named, and known again by the second restore', async () => {
  const rough = ['Subject: a\r\n\r\nends\r\r\r', 'Subject: b\r\r\r\n\r\nx\r\n'];
  const mailbox = await TestMailbox.open(server, ROUGH);
  for (const text of rough) await mailbox.save('INBOX', Buffer.from(text));
  mailbox.close();
  const source = await openSource(settings(ROUGH), never);
  const snapshot = await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock }).finally(() => source.close());
  const give = async (): Promise<RestoreReport> => {
    const target = await openTarget(settings(ROUGH), { mode: 'separate', folderName: 'Given back' }, never);
    return await restoreToTarget(scratch.repository, snapshot, target, { signal: never, progress: unheard }).finally(() => target.close());
  };
  const first = await give();
  expect(first.issues.map(({ code }) => code)).toEqual(['restore/bytes-changed', 'restore/bytes-changed']);
  expect(first).toMatchObject({ written: 2, failed: 0 });
  proxy.reset();
  expect(await give()).toMatchObject({ written: 0, unchanged: 2, issues: [] });
  expect(proxy.commands.filter((command) => WRITES.test(command))).toEqual([]);
});
