import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runBackup } from '../../src/backup/index.ts';
import { openSource, openTarget } from '../../src/connectors/imap/index.ts';
import { isHoldfastError } from '../../src/domain/index.ts';
import { restoreToTarget } from '../../src/recovery/index.ts';
import type { Manifest } from '../../src/repository/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { linesOf, readWithPython } from '../roundTrip/independentClients.ts';
import { never, ScratchRepository, unheard } from '../roundTrip/scratchRepository.ts';
import { startDovecot, type Dovecot } from '../servers/dovecot.ts';
import { startImapProxy, type ImapProxy } from '../servers/imapProxy.ts';
import { TestMailbox } from '../servers/testMailbox.ts';
import { RecordingStorage } from './recordingStorage.ts';

/** What opening a session costs, whatever it does afterwards. */
const SESSION = /^(CAPABILITY|ID|AUTHENTICATE|LOGIN|NAMESPACE|ENABLE|LOGOUT|[A-Za-z0-9+/=]+$)/;
const BODY = /BODY\.PEEK\[\]/;
const MAIL_BYTES = 20_000;

let server: Dovecot;
let proxy: ImapProxy;
let serial = 0;

beforeAll(async () => {
  const users = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`user${i}@example.test`, 'pw']));
  server = await startDovecot({ users });
  proxy = await startImapProxy(server.port);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const newUser = (): string => `user${serial++}@example.test`;
const settings = (user: string) => ({ host: '127.0.0.1', port: proxy.port, user, password: 'pw', tls: 'off', connections: 2 }) as const;

/** Text that does not compress, so that what is stored again shows in the bytes. */
function mail(number: number): Buffer {
  let state = number * 2654435761 % 4294967291;
  const noise = Array.from({ length: MAIL_BYTES / 4 }, () => {
    state = (state * 48271 + 11) % 2147483647;
    return (state % 1679616).toString(36).padStart(4, '0');
  }).join('').replace(/.{76}/g, '$&\r\n');
  return Buffer.from(`Subject: Mail ${number}\r\nMessage-ID: <${number}@example.test>\r\nFrom: a@example.test\r\n\r\n${noise}\r\n`);
}

interface Ran {
  readonly manifest: Manifest;
  /** Beyond opening the session. */
  readonly commands: readonly string[];
  readonly received: number;
}

/** A mailbox with a repository, and runs whose requests and bytes are counted at both ends. */
class Bench implements AsyncDisposable {
  readonly user: string;
  readonly box: TestMailbox;
  readonly puts: RecordingStorage;
  readonly scratch: ScratchRepository;

  private constructor(user: string, box: TestMailbox, puts: RecordingStorage, scratch: ScratchRepository) {
    this.user = user;
    this.box = box;
    this.puts = puts;
    this.scratch = scratch;
  }

  /** 60 mails in three folders. */
  static async filled(): Promise<Bench> {
    const user = newUser();
    const puts = new RecordingStorage(new MemoryStorage());
    const bench = new Bench(user, await TestMailbox.open(server, user), puts, await ScratchRepository.make(puts));
    await bench.box.create('Work', 'Work/Sub', 'Other');
    for (const [f, folder] of ['INBOX', 'Work/Sub', 'Other'].entries()) {
      for (let i = 0; i < 20; i++) await bench.box.save(folder, mail(f * 20 + i), { flags: i % 3 === 0 ? '\\Seen $Label1' : '' });
    }
    return bench;
  }

  async run(): Promise<Ran> {
    proxy.reset();
    this.puts.reset();
    const source = await openSource(settings(this.user), never);
    try {
      const manifest = await runBackup(this.scratch.repository, source, { signal: never, progress: unheard, clock: systemClock });
      return { manifest, commands: proxy.commands.filter((command) => !SESSION.test(command)), received: proxy.received };
    } finally {
      await source.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.box.close();
    this.scratch[Symbol.dispose]();
  }
}

/** The snapshot restored into an empty account holds exactly what the mailbox holds now, as another client sees both. */
async function expectRestored({ scratch, user }: Bench, manifest: Manifest): Promise<void> {
  const to = newUser();
  const target = await openTarget(settings(to), { mode: 'replace', folderName: '' }, never);
  try {
    const report = await restoreToTarget(scratch.repository, manifest, target, { signal: never, progress: unheard });
    expect(report.issues).toEqual([]);
  } finally {
    await target.close();
  }
  const held = linesOf(await readWithPython(server, user));
  expect(held.length).toBe(manifest.counts.items);
  expect(linesOf(await readWithPython(server, to))).toEqual(held);
}

describe('a later run', () => {
  test('of an unchanged mailbox asks one listing and writes one small record', async () => {
    await using bench = await Bench.filled();
    const first = await bench.run();
    expect(bench.puts.putKinds).toEqual(expect.arrayContaining(['packs', 'index', 'segments', 'snapshots', 'seals']));
    expect(bench.puts.putBytes('packs')).toBeGreaterThan(60 * MAIL_BYTES / 2);
    const second = await bench.run();
    expect(second.commands.map((command) => command.split(' ')[0])).toEqual(['LIST']);
    // The pin on the predecessor goes when the run ends; manifest and seal stay.
    expect(bench.puts.putKinds).toEqual(['pins', 'snapshots', 'seals']);
    expect(bench.puts.putBytes()).toBeLessThan(4096);
    expect([bench.puts.gets('packs'), bench.puts.gets('index')]).toEqual([0, 0]);
    expect(second.manifest.layers).toEqual(first.manifest.layers);
    expect(second.manifest.counts).toEqual({ ...first.manifest.counts, added: 0, changed: 0, removed: 0 });
    expect(second.received).toBeLessThan(8192);
  });

  test('after folders were renamed and moved fetches no mail, stores none, and keeps every mail under its folder', async () => {
    await using bench = await Bench.filled();
    await bench.run();
    await bench.box.send('RENAME "Work" "Arbeit"');
    await bench.box.create('New');
    await bench.box.send('RENAME "Other" "New/Other"');
    const { manifest, commands } = await bench.run();
    expect(commands.filter((command) => BODY.test(command))).toEqual([]);
    expect(bench.puts.putKinds).toEqual(['pins', 'segments', 'snapshots', 'seals']);
    expect(bench.puts.putBytes('segments')).toBeLessThan(2048);
    expect(manifest.counts).toMatchObject({ items: 60, removed: 0 });
    // "Other" has an older number than the folder that it is in now.
    await expectRestored(bench, manifest);
  });

  test('after UIDVALIDITY changed fetches headers alone', async () => {
    await using bench = await Bench.filled();
    const first = await bench.run();
    await bench.box.doveadm('mailbox update', '--uid-validity', '424242', 'Other');
    const second = await bench.run();
    expect(second.commands.filter((command) => BODY.test(command))).toEqual([]);
    expect(second.received).toBeLessThan(first.received / 10);
    expect(bench.puts.putKinds).toEqual(['pins', 'segments', 'snapshots', 'seals']);
    expect(second.manifest.counts).toMatchObject({ items: 60, added: 20, removed: 20, bytes: first.manifest.counts.bytes });
    await expectRestored(bench, second.manifest);
  });

  test('after expunged and re-flagged mails asks the changes alone', async () => {
    await using bench = await Bench.filled();
    await bench.run();
    await bench.box.expunge('Other', '3:5,7');
    await bench.box.addFlags('Work/Sub', '2,4', '\\Flagged Later');
    const second = await bench.run();
    expect(second.commands.filter((command) => /BODY|RFC822/.test(command))).toEqual([]);
    // One listing, and for each of the two folders one EXAMINE that brings its changes.
    expect(second.commands).toHaveLength(3);
    expect(bench.puts.putKinds).toEqual(['pins', 'segments', 'snapshots', 'seals']);
    expect(second.manifest.counts).toMatchObject({ items: 56, added: 0, changed: 2, removed: 4 });
    await expectRestored(bench, second.manifest);
  });

  test('after a mail was moved fetches it once more and stores its content only once', async () => {
    await using bench = await Bench.filled();
    await bench.run();
    await bench.box.send('SELECT "Other"');
    await bench.box.send('UID MOVE 4:6 "Work"');
    const { manifest, commands } = await bench.run();
    expect(commands.filter((command) => BODY.test(command))).toHaveLength(1);
    expect(bench.puts.putKinds).not.toContain('packs');
    expect(manifest.counts).toMatchObject({ items: 60, added: 3, removed: 3 });
    await expectRestored(bench, manifest);
  });

  test('after one new mail fetches and stores that one', async () => {
    await using bench = await Bench.filled();
    await bench.run();
    await bench.box.save('INBOX', mail(1000));
    const { manifest, commands } = await bench.run();
    expect(commands.filter((command) => BODY.test(command))).toEqual(['UID FETCH 21 (UID BODY.PEEK[])']);
    expect(bench.puts.putKinds).toEqual(['pins', 'packs', 'index', 'segments', 'snapshots', 'seals']);
    expect(bench.puts.putBytes()).toBeLessThan(MAIL_BYTES + 8192);
    await expectRestored(bench, manifest);
  });
});

describe('a connection that is cut', () => {
  test('once in the middle of a mail is made anew, and the run ends as if nothing had been', async () => {
    await using bench = await Bench.filled();
    proxy.cutAfter(200_000);
    const { manifest } = await bench.run();
    expect(manifest).toMatchObject({ status: 'complete', counts: { items: 60, failed: 0 } });
    await expectRestored(bench, manifest);
  });

  test.each([['between mails', 50_000], ['before any mail comes through', 9000]])(
    'again and again %s: what is lacking is named or the run says why; the old snapshot stands, and a rerun finishes', async (_when, bytes) => {
      await using bench = await Bench.filled();
      const first = await bench.run();
      for (let i = 0; i < 6; i++) await bench.box.save('Other', mail(2000 + i));
      proxy.cutAfter(bytes, 10_000);
      const failure: unknown = await bench.run().then(() => undefined, (error: unknown) => error).finally(() => proxy.cutAfter(Infinity));
      const newest = (await bench.scratch.repository.newest(first.manifest.tag))?.manifest;
      if (failure === undefined) {
        const { failed = 0, items } = newest?.counts ?? {};
        expect([items, newest?.status, newest?.warnings.length]).toEqual([66, failed === 0 ? 'complete' : 'partial', failed]);
        expect(newest?.warnings.every(({ state }) => state === 'failed')).toBe(true);
      } else {
        expect(isHoldfastError(failure) ? failure.code : failure).toMatch(/^imap\//);
        expect(newest?.id).toBe(first.manifest.id);
      }
      const { manifest } = await bench.run();
      expect(manifest).toMatchObject({ status: 'complete', counts: { items: 66, failed: 0 } });
      await expectRestored(bench, manifest);
    });
});
