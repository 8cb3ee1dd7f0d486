import assert from 'node:assert/strict';
import { runBackup } from '../../src/backup/index.ts';
import { openSource, openTarget } from '../../src/connectors/imap/index.ts';
import { restoreToTarget } from '../../src/recovery/index.ts';
import type { Manifest } from '../../src/repository/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { TestMailbox } from '../servers/testMailbox.ts';
import { generatedMails, randomNumbers } from './generatedMails.ts';
import { folderNames, linesOf, readWithPython } from './independentClients.ts';
import { fillFolders, makeOddFolders } from './oddMailbox.ts';
import { never, ScratchRepository, unheard } from './scratchRepository.ts';

const FROM = 'from@example.test';

/**
 * Generated mails to a repository in `storage` and back, then changed at random and there and back again, so many times.
 * Gives how many came back in all; throws where another client sees a difference.
 */
export async function mailsThereAndBack(storage: Storage, size: { mails: number; rounds: number; seed: number }): Promise<number> {
  using scratch = await ScratchRepository.make(storage);
  const targets = Array.from({ length: size.rounds + 1 }, (_, i) => `to${i}@example.test`);
  const server = await startDovecot({ users: Object.fromEntries([FROM, ...targets].map((user) => [user, 'pw'])), format: 'sdbox' });
  try {
    const mailbox = await TestMailbox.open(server, FROM);
    const folders = await makeOddFolders(mailbox);
    await fillFolders(mailbox, folders, [...generatedMails(size.seed, size.mails)]);
    mailbox.close();
    let mails = 0;
    for (const [round, user] of targets.entries()) {
      if (round > 0) {
        // A connection that is idle for so long would be closed.
        const again = await TestMailbox.open(server, FROM);
        await changeAtRandom(again, folders, size.seed + round);
        again.close();
      }
      mails += await thereAndBack(server, scratch, user);
    }
    return mails;
  } finally {
    await server.stop();
  }
}

/** Backs up, restores into an empty account and compares; gives the number of mails. */
async function thereAndBack(server: Dovecot, scratch: ScratchRepository, user: string): Promise<number> {
  const manifest = await backup(server, scratch);
  /** Mails that the server does not keep byte by byte, and whose restore said so. */
  let changed: number;
  const target = await openTarget(settings(server, user), { mode: 'replace', folderName: '' }, never);
  try {
    const { issues } = await restoreToTarget(scratch.repository, manifest, target, { signal: never, progress: unheard });
    assert.deepEqual(issues.filter(({ code }) => code !== 'restore/bytes-changed'), []);
    changed = issues.length;
  } finally {
    await target.close();
  }
  const [before, after] = [await readWithPython(server, FROM), await readWithPython(server, user)];
  const lines = linesOf(before);
  const there = linesOf(after);
  assert.equal(there.length, lines.length);
  const [lost, strange] = [without(lines, there), without(there, lines)];
  assert.deepEqual([lost.length, strange.length], [changed, changed], [...lost.slice(0, 5), ...strange.slice(0, 5)].join('\n'));
  assert.deepEqual(folderNames(after), folderNames(before));
  assert.deepEqual([manifest.status, manifest.counts.items, manifest.counts.failed], ['complete', lines.length, 0]);
  return lines.length;
}

/** Lines of one list that the other has not, as often as they are missing. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const line of others) count.set(line, (count.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const left = count.get(line) ?? 0;
    count.set(line, left - 1);
    return left <= 0;
  });
}

async function backup(server: Dovecot, scratch: ScratchRepository): Promise<Manifest> {
  const source = await openSource(settings(server, FROM), never);
  try {
    return await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock });
  } finally {
    await source.close();
  }
}

/** New, lost, re-flagged and moved mails, some in every folder; a folder renamed and one that is new. */
async function changeAtRandom(mailbox: TestMailbox, folders: string[], seed: number): Promise<void> {
  const below = randomNumbers(seed);
  for (const folder of folders) {
    await mailbox.send(`SELECT "${folder}"`);
    const range = (): string => `${1 + below(400)}:${1 + below(400)}`;
    await mailbox.send(`UID STORE ${range()} +FLAGS.SILENT (\\Flagged Again${below(3)})`);
    await mailbox.send(`UID STORE ${range()} -FLAGS.SILENT (\\Seen)`);
    if (below(3) === 0) await mailbox.send(`UID MOVE ${1 + below(300)}:${1 + below(300)} "${folders[below(folders.length)] ?? 'INBOX'}"`);
    if (below(4) === 0) {
      await mailbox.send(`UID STORE ${1 + below(300)} +FLAGS.SILENT (\\Deleted)`);
      await mailbox.send('EXPUNGE');
    }
  }
  await fillFolders(mailbox, folders, [...generatedMails(seed, 500)]);
  await mailbox.send('SELECT "INBOX"');
  const renamed = folders.findIndex((folder, i) => i > 0 && !folder.includes('/') && !folders.some((other) => other.startsWith(`${folder}/`)));
  const name = `renamed ${seed}`;
  await mailbox.send(`RENAME "${folders[renamed] ?? ''}" "${name}"`);
  folders[renamed] = name;
  await mailbox.create(`new ${seed}`);
  folders.push(`new ${seed}`);
}

const settings = (server: Dovecot, user: string) => ({ host: server.host, port: server.port, user, password: 'pw', tls: 'off' }) as const;
