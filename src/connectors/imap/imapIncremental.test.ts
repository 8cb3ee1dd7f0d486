import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDovecot, type Dovecot } from '../../../tests/servers/dovecot.ts';
import { startImapProxy, type ImapProxy } from '../../../tests/servers/imapProxy.ts';
import { TestMailbox } from '../../../tests/servers/testMailbox.ts';
import { modelRun, type ModelRun, type ModelRunOptions, type SnapshotModel } from '../conformance.ts';
import { openSource } from './index.ts';

const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  QRESYNC: [], CONDSTORE: ['QRESYNC'], plain: ['QRESYNC', 'CONDSTORE'],
};

/** What opening a session costs, whatever it does afterwards. */
const SESSION = /^(CAPABILITY|ID|AUTHENTICATE|LOGIN|NAMESPACE|ENABLE|LOGOUT|AH|[A-Za-z0-9+/=]+$)/;

const isBody = (command: string): boolean => /BODY\.PEEK\[\]/.test(command);
const isHeader = (command: string): boolean => /BODY\.PEEK\[HEADER\]/.test(command);

for (const [variant, without] of Object.entries(VARIANTS)) {
  describe(`a later run, server with ${variant}`, () => {
    let server: Dovecot;
    let proxy: ImapProxy;
    let serial = 0;
    beforeAll(async () => {
      const users = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`user${i}@example.test`, 'pw']));
      server = await startDovecot({ users, without });
      proxy = await startImapProxy(server.port);
    });
    afterAll(async () => {
      await proxy.stop();
      await server.stop();
    });

    const mailbox = async (): Promise<TestMailbox> => {
      const box = await TestMailbox.open(server, `user${serial++}@example.test`);
      await box.create('Work', 'Work/Sub', 'Other');
      await box.saveMany('Work/Sub', 5);
      await box.saveMany('Other', 2);
      return box;
    };
    /** One run through the proxy, and the commands that it cost beyond opening the session. */
    const run = async (box: TestMailbox, previous?: SnapshotModel, options: ModelRunOptions = {}): Promise<ModelRun & { commands: string[]; received: number }> => {
      proxy.reset();
      const session = await openSource({
        host: '127.0.0.1', port: proxy.port, user: box.user, password: 'pw', tls: 'off', connections: 2,
      }, new AbortController().signal);
      const done = await modelRun(session, previous, options).finally(async () => await session.close());
      return { ...done, commands: proxy.commands.filter((command) => !SESSION.test(command)), received: proxy.received };
    };

    test('of an unchanged mailbox lists the folders and nothing else', async () => {
      const box = await mailbox();
      const first = await run(box);
      expect(first.commands.filter(isBody)).toHaveLength(2);
      const second = await run(box, first.snapshot);
      expect(second.changed).toBe(0);
      const beyond = second.commands.filter((command) => !command.startsWith('LIST '));
      expect(second.commands).toHaveLength(beyond.length + 1);
      // Without mod-sequences only the flags themselves tell: two folders hold mail.
      expect(beyond.filter((command) => !/^EXAMINE|^UID FETCH 1:\* \(UID FLAGS\)$/.test(command))).toEqual([]);
      expect(beyond).toHaveLength(variant === 'plain' ? 4 : 0);
    });

    test('after flags changed fetches no content and keeps subjects', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.addFlags('Work/Sub', '2,4', '\\Flagged Keyword1');
      const second = await run(box, first.snapshot);
      expect(second.commands.filter((command) => /BODY/.test(command))).toEqual([]);
      expect(second.changed).toBe(2);
      const row = second.snapshot.find('Work/Sub/Mail 4');
      expect(JSON.parse(row?.meta ?? '')).toMatchObject({ flags: ['\\Flagged'], keywords: ['Keyword1'], messageId: '<m4@example.test>' });
      if (variant === 'QRESYNC') expect(second.commands).toHaveLength(2);
    });

    test('after an expunge removes the rows and fetches nothing', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.expunge('Work/Sub', '2:3');
      const second = await run(box, first.snapshot);
      expect(second.commands.filter((command) => /BODY|RFC822/.test(command))).toEqual([]);
      expect(second.changed).toBe(2);
      expect(second.snapshot.find('Work/Sub/Mail 2')).toBeUndefined();
      expect(second.snapshot.find('Work/Sub/Mail 4')).toBeDefined();
      if (variant === 'QRESYNC') expect(second.commands).toHaveLength(2);
    });

    test('after the last mail of a folder went removes the last row', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.expunge('Other', '1:2');
      const second = await run(box, first.snapshot);
      expect(second.changed).toBe(2);
      expect(second.snapshot.sorted.filter((row) => second.snapshot.pathOf(row).startsWith('Other/'))).toEqual([]);
    });

    test('finds a mail that the last snapshot should have and does not', async () => {
      const box = await mailbox();
      const { snapshot } = await run(box);
      const lost = snapshot.find('Work/Sub/Mail 2');
      snapshot.byKey.delete(lost?.key ?? '');
      snapshot.cursor = snapshot.cursor?.replace('"count":5', '"count":4');
      const second = await run(box, snapshot);
      expect(second.snapshot.find('Work/Sub/Mail 2')?.content).toBe(lost?.content);
      expect(second.fetched).toHaveLength(1);
    });

    test('fetches a new mail and no other', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.save('Other');
      const second = await run(box, first.snapshot);
      expect(second.commands.filter(isBody)).toEqual(['UID FETCH 3 (UID BODY.PEEK[])']);
      expect(second.changed).toBe(1);
      const third = await run(box, second.snapshot);
      expect(third.changed + third.fetched.length).toBe(0);
    });

    test('recognises renamed and moved folders with all that they hold', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.send('RENAME "Work" "Arbeit"');
      await box.send('RENAME "Other" "Arbeit/Moved"');
      await box.send('CREATE "Other"');
      const second = await run(box, first.snapshot);
      expect(second.commands.filter(isBody)).toEqual([]);
      const keys = (snapshot: SnapshotModel): string[] => snapshot.sorted.filter((row) => row.kind === 'mail').map((row) => row.key);
      expect(keys(second.snapshot)).toEqual(keys(first.snapshot));
      expect(second.snapshot.find('Arbeit/Sub/Mail 1')).toBeDefined();
      expect(second.snapshot.find('Arbeit/Moved/Mail 6')).toBeDefined();
      expect(second.snapshot.find('Work')).toBeUndefined();
      expect(second.snapshot.find('Other')?.kind).toBe('folder');
    });

    test('after a change of UIDVALIDITY fetches headers, and content only where two mails look alike', async () => {
      const box = await mailbox();
      const twin = async (name: string): Promise<void> => await box.save('Work/Sub', Buffer.from(`Subject: ${name}\r\n\r\nsame\r\n`),
        { date: '01-Jan-2024 00:00:00 +0000' });
      for (const name of ['Two then one', 'Two then one', 'One then two', 'Two and two', 'Two and two']) await twin(name);
      const first = await run(box);
      await box.expunge('Work/Sub', '6');
      await twin('One then two');
      await box.doveadm('mailbox update', '--uid-validity', '4242', 'Work/Sub');
      await box.addFlags('Work/Sub', '1', '\\Answered');
      await box.save('Work/Sub');
      const second = await run(box, first.snapshot);
      expect(second.commands.filter(isHeader).length).toBeGreaterThan(0);
      const fetched = second.fetched.map((item) => second.snapshot.byKey.get(item.key)?.name ?? '').sort();
      expect(fetched).toEqual(['Mail 14', 'One then two', 'One then two', 'Two and two', 'Two and two', 'Two then one']);
      expect(second.snapshot.sorted.filter((row) => row.kind === 'mail')).toHaveLength(5 + 2 + 5 + 1);
      const row = second.snapshot.find('Work/Sub/Mail 1');
      expect(JSON.parse(row?.meta ?? '')).toMatchObject({ flags: ['\\Answered'], from: 'Ann <ann@example.test>' });
      expect(second.snapshot.bytesOf(row ?? (() => { throw new Error('gone'); })())?.toString()).toContain('Body 1');
      const third = await run(box, second.snapshot);
      expect(third.changed + third.fetched.length).toBe(0);
    });

    test('takes a folder of an old name and new content for what it is', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.send('DELETE "Other"');
      await box.create('Other');
      await box.saveMany('Other', 3);
      const second = await run(box, first.snapshot);
      expect(second.snapshot.sorted.filter((row) => second.snapshot.pathOf(row).startsWith('Other/')).map((row) => row.name))
        .toEqual(['Mail 8', 'Mail 9', 'Mail 10']);
      await box.send('DELETE "Other"');
      const third = await run(box, second.snapshot);
      expect(third.changed).toBe(4);
      expect(third.snapshot.find('Other')).toBeUndefined();
    });

    test('names a folder that can not be read, keeps what it had, and goes on', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.save('Work/Sub');
      await box.save('Other');
      const directory = join(server.mailDirectory(box.user), '.Work.Sub');
      await chmod(directory, 0);
      const second = await run(box, first.snapshot).finally(async () => await chmod(directory, 0o700));
      const failed = second.snapshot.sorted.filter((row) => row.outcome !== '');
      expect(failed.map((row) => JSON.parse(row.outcome) as unknown)).toMatchObject([{ state: 'failed', code: 'folder-unreadable' }]);
      expect(second.snapshot.find('Work/Sub/Mail 3')?.content).not.toBe('');
      expect(second.snapshot.find('Other/Mail 9')).toBeDefined();
      const third = await run(box, second.snapshot);
      expect(third.snapshot.sorted.filter((row) => row.outcome !== '')).toEqual([]);
      expect(third.fetched.map((item) => item.size)).toHaveLength(1);
      expect(third.snapshot.find('Work/Sub/Mail 8')).toBeDefined();
    });

    test('names a folder that can not be opened although the server told its state', async () => {
      const box = await mailbox();
      const first = await run(box);
      await box.create('New');
      await box.save('Work/Sub');
      await box.save('Other');
      const directory = join(server.mailDirectory(box.user), '.Work.Sub');
      // The row of the new folder is the first batch; the folder is locked before its messages are asked for.
      const second = await run(box, first.snapshot, { onBatch: async () => await chmod(directory, 0) })
        .finally(async () => await chmod(directory, 0o700));
      const failed = second.snapshot.sorted.filter((row) => row.outcome !== '');
      expect(failed.map((row) => [second.snapshot.pathOf(row), row.outcome === '' ? '' : (JSON.parse(row.outcome) as { code: string }).code]))
        .toEqual([['Work/Sub/All mails of Sub', 'folder-unreadable']]);
      expect(second.snapshot.find('Work/Sub/Mail 3')?.content).not.toBe('');
      expect(second.snapshot.find('Other/Mail 9')).toBeDefined();
      const third = await run(box, second.snapshot);
      expect(third.snapshot.sorted.filter((row) => row.outcome !== '')).toEqual([]);
      expect(third.fetched).toHaveLength(1);
      expect(third.snapshot.find('Work/Sub/Mail 8')).toBeDefined();
      expect(third.snapshot.find('Work/Sub/All mails of Sub')).toBeUndefined();
    });
  });
}
