/**
 * `npm run demo`: fills a mailbox on a real IMAP server of its own, backs it up, changes it, backs it up again, shows the
 * difference, gives it back into another account, and compares the two with a client that is not ours.
 * Needs root on Debian (for the server); takes everything away again at its end.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startDovecot, type Dovecot } from '../tests/servers/dovecot.ts';
import { TestMailbox } from '../tests/servers/testMailbox.ts';
import { killGroups, run } from './childProcess.ts';
import { DemoMails, FOLDERS } from './demoMails.ts';
import { installNeeds, missingNeeds, NEEDS } from './testNeeds.ts';

const ROOT = dirname(import.meta.dirname);
const COMMAND_MS = 120_000;
const PASSWORD = 'demo';
const ALICE = 'alice@harbour.example';
const BOB = 'bob@harbour.example';
const NEEDED = new Set(['dovecot', 'doveadm', 'imap', 'python3']);

const say = (text = ''): void => console.log(text);
let step = 0;
const title = (text: string): void => say(`\n${++step}. ${text}\n`);

interface Digest {
  readonly folders: readonly string[];
  readonly mails: readonly { folder: string; flags: readonly string[]; date: string; size: number; sha256: string }[];
}

class Demo {
  readonly #server: Dovecot;
  readonly #scratch: string;

  constructor(server: Dovecot, scratch: string) {
    this.#server = server;
    this.#scratch = scratch;
    writeFileSync(join(scratch, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  }

  async play(): Promise<boolean> {
    const mails = new DemoMails(7);
    await this.#fill(mails);
    title('Protect it, from nothing, with one command');
    await this.#holdfast(['backup', 'imap', ...this.#reach(ALICE), '--init']);
    await this.#live(mails);
    await this.#holdfast(['backup', 'imap', ...this.#reach(ALICE)]);
    const [first = '', second = ''] = await this.#snapshotIds();

    title('Look at what happened between the two');
    await this.#holdfast(['snapshots']);
    await this.#holdfast(['diff', first, second]);
    await this.#holdfast(['ls', first, 'Projects', '--recursive'], 6);

    title(`Give all of it back, into the empty account ${BOB}`);
    await this.#holdfast(['restore', 'imap', second, ...this.#reach(BOB), '--mode', 'skip', '--dry-run']);
    await this.#holdfast(['restore', 'imap', second, ...this.#reach(BOB), '--mode', 'skip']);

    title("Compare the two accounts, with Python's imaplib instead of our own client");
    const same = await this.#compare();

    title('Once more: what is there already is not written again');
    await this.#holdfast(['restore', 'imap', second, ...this.#reach(BOB), '--mode', 'skip']);

    title('And a folder as it was before Alice deleted half of it');
    await this.#holdfast(['restore', 'imap', first, ...this.#reach(ALICE), '--path', 'Travel', '--folder', 'Back from the past']);

    title('Is every byte in the repository still what was stored?');
    await this.#holdfast(['check', '--read-data']);
    say(`   ${this.#stored()} MiB hold both points in time.`);
    return same;
  }

  #stored(): string {
    const files = readdirSync(join(this.#scratch, 'repository'), { recursive: true, withFileTypes: true });
    const sizes = files.filter((file) => file.isFile()).map((file) => statSync(join(file.parentPath, file.name)).size);
    return (sizes.reduce((sum, size) => sum + size, 0) / 2 ** 20).toFixed(1);
  }

  async #fill(mails: DemoMails): Promise<void> {
    title('A mailbox');
    const mailbox = await this.#open(ALICE);
    await mailbox.create(...FOLDERS);
    const all = mails.all();
    for (const { folder, bytes, flags, date } of all) await mailbox.save(folder, bytes, { flags, date });
    mailbox.close();
    const megabytes = (all.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2 ** 20).toFixed(1);
    say(`   Dovecot listens on port ${this.#server.tlsPort} of this machine. ${ALICE} has ${all.length} mails,`);
    say(`   ${megabytes} MiB with attachments, in nested folders, with flags, keywords and dates of their own.`);
  }

  async #live(mails: DemoMails): Promise<void> {
    title('Life goes on');
    const mailbox = await this.#open(ALICE);
    for (const [folder, subject] of [['INBOX', 'Storm warning for the weekend'], ['INBOX', 'Re: Storm warning for the weekend'],
      ['Projects/Lighthouse/Invoices', 'Invoice for sandbags']] as const) {
      const { bytes, flags, date } = mails.one(folder, subject);
      await mailbox.save(folder, bytes, { flags, date });
    }
    await mailbox.addFlags('INBOX', '3:5', '\\Seen \\Flagged');
    await mailbox.expunge('Travel', '1:4');
    await mailbox.send('RENAME "Projects/Lighthouse" "Projects/Lighthouse (north)"');
    mailbox.close();
    say('   Three new mails, three flagged, four deleted, one folder with its subfolder renamed. The next backup fetches');
    say('   only what is new:\n');
  }

  #open(user: string): Promise<TestMailbox> {
    return TestMailbox.open(this.#server, user, PASSWORD);
  }

  #reach(user: string): string[] {
    return ['--host', 'localhost', '--port', String(this.#server.tlsPort), '--ca-file', 'ca.pem', '--user', user, '--password-file', 'password'];
  }

  get #environment(): Record<string, string> {
    return {
      HOLDFAST_REPO: join(this.#scratch, 'repository'), HOLDFAST_KEY_FILE: join(this.#scratch, 'holdfast.key'),
      HOLDFAST_CACHE: join(this.#scratch, 'cache'),
    };
  }

  /** Runs a command as a person would and shows it with what it says, at most `lines` of it. */
  async #holdfast(args: readonly string[], lines = Number.POSITIVE_INFINITY): Promise<string> {
    const shown = args.map((arg) => (/[\s()]/.test(arg) ? `'${arg}'` : arg)).join(' ');
    say(`   $ holdfast ${shown}`);
    const output = await this.#quietly(args);
    const all = output.trimEnd().split('\n');
    for (const line of all.slice(0, lines)) say(`   │ ${line}`);
    if (all.length > lines) say(`   │ … and ${all.length - lines} more lines`);
    say();
    return output;
  }

  async #quietly(args: readonly string[]): Promise<string> {
    const { code, output } = await run(join(ROOT, 'bin', 'holdfast'), args, {
      cwd: this.#scratch, timeoutMs: COMMAND_MS, env: this.#environment,
    });
    if (code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${code ?? 'a signal'}:\n${output}`);
    return output;
  }

  async #snapshotIds(): Promise<string[]> {
    return (JSON.parse(await this.#quietly(['snapshots', '--json'])) as { id: string }[]).map(({ id }) => id);
  }

  async #compare(): Promise<boolean> {
    const [alice, bob] = [await this.#digest(ALICE), await this.#digest(BOB)];
    const same = JSON.stringify(alice) === JSON.stringify(bob);
    const there = new Set(bob.mails.map((mail) => JSON.stringify(mail)));
    const lost = alice.mails.filter((mail) => !there.has(JSON.stringify(mail)));
    const bytesOf = ({ mails }: Digest): number => mails.reduce((sum, { size }) => sum + size, 0);
    say(`   ${ALICE}: ${alice.mails.length} mails in ${alice.folders.length} folders, ${bytesOf(alice)} bytes`);
    say(`   ${BOB}:   ${bob.mails.length} mails in ${bob.folders.length} folders, ${bytesOf(bob)} bytes`);
    say(same ? '   Every folder, every byte (SHA-256), every flag and keyword, every date of arrival: the same.'
      : `   DIFFERENT: ${lost.length} mails of Alice are not with Bob as they are; folders ${alice.folders.join()} and ${bob.folders.join()}`);
    return same;
  }

  async #digest(user: string): Promise<Digest> {
    const child = spawn('python3', [join(import.meta.dirname, 'readMailbox.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify({ port: this.#server.port, user, password: PASSWORD }));
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString()) as Digest;
  }
}

/** Sees to it that a server can be started here; tells a person what to do where it cannot. */
async function ready(): Promise<boolean> {
  const needs = NEEDS.filter(({ program }) => NEEDED.has(program));
  const path = process.env['PATH'] ?? '';
  const root = process.getuid?.() === 0;
  if (root && missingNeeds(needs, path).length === 0) return true;
  if (root && existsSync('/usr/bin/apt-get') && await installNeeds(missingNeeds(needs, path), ROOT)) return true;
  console.error('The demo starts a mail server of its own (Dovecot) and reads it with Python. For that it must run as root');
  console.error(`on a machine with the packages ${[...new Set(needs.map((need) => need.package))].join(', ')}; on Debian it installs them itself.`);
  return false;
}

async function main(): Promise<boolean> {
  if (!await ready()) return false;
  const started = performance.now();
  say('Holdfast: a mailbox backed up, changed, backed up again, compared, and given back to another account.');
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
  const server = await startDovecot({ users: { [ALICE]: PASSWORD, [BOB]: PASSWORD } });
  const cleanUp = async (): Promise<void> => {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      killGroups();
      cleanUp().then(() => process.exit(130), () => process.exit(1));
    });
  }
  try {
    writeFileSync(join(scratch, 'ca.pem'), server.ca);
    const same = await new Demo(server, scratch).play();
    say(`\n${same ? 'Done' : 'FAILED'} in ${((performance.now() - started) / 1000).toFixed(0)} s; server and repository are gone again.`);
    return same;
  } finally {
    await cleanUp();
  }
}

if (import.meta.main) process.exitCode = await main() ? 0 : 1;
