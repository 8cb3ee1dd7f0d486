import { readFileSync, readdirSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CliSandbox, type RunningCommand } from '../cli/cliSandbox.ts';
import { copyReadyDatabase, databasesRoot } from '../servers/readyDatabase.ts';
import { waitUntil } from '../servers/startProcess.ts';

interface Served {
  readonly running: RunningCommand;
  readonly url: string;
  readonly log: () => { readonly event: string; readonly code?: string; readonly level: string; readonly message?: string }[];
}

const environment = (sandbox: CliSandbox) => ({ HOLDFAST_DATA: sandbox.path('data') });

/** Starts `holdfast serve` and waits until it takes requests. */
async function serve(sandbox: CliSandbox, more: Readonly<Record<string, string>> = {}): Promise<Served> {
  await chmod(sandbox.directory, 0o711);
  const running = sandbox.start(['serve', '--port', '0', '--json'], { ...environment(sandbox), ...more });
  let stdout = '';
  let stderr = '';
  running.child.stdout?.on('data', (text: string) => { stdout += text; });
  running.child.stderr?.on('data', (text: string) => { stderr += text; });
  await waitUntil(async () => stdout.endsWith('}\n') || running.child.exitCode !== null, () => `not ready: ${stderr}`, 60_000);
  const { url } = JSON.parse(stdout) as { url: string };
  return { running, url, log: () => stderr.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as ReturnType<Served['log']>[number]) };
}

/** Processes whose command line names the sandbox. */
function processesOf(sandbox: CliSandbox): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(sandbox.directory);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

test('serves, says where, and ends in order with its database', async () => {
  using sandbox = new CliSandbox(databasesRoot());
  const { running, url, log } = await serve(sandbox);
  expect(await (await fetch(`${url}/readyz`)).text()).toBe('ready\n');
  expect(log().map(({ event }) => event)).toEqual(expect.arrayContaining(['master key made', 'database open', 'ready']));
  running.child.kill('SIGTERM');
  const said = await running.ended;
  expect([said.code, said.signal]).toEqual([0, null]);
  expect(log().at(-1)?.event).toBe('stopped');
  expect(processesOf(sandbox)).toEqual([]);
});

test('after a kill the next start takes the database over and says so', async () => {
  using sandbox = new CliSandbox(databasesRoot());
  await copyReadyDatabase(sandbox.path('data'));
  const first = await serve(sandbox);
  first.running.child.kill('SIGKILL');
  await first.running.ended;
  expect(processesOf(sandbox).length).toBeGreaterThan(0);
  const second = await serve(sandbox);
  const told = second.log().find(({ code }) => code === 'database/took-over');
  expect(told?.message).toContain('left running');
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
  second.running.child.kill('SIGINT');
  expect((await second.running.ended).code).toBe(0);
  expect(processesOf(sandbox)).toEqual([]);
});

test('a lost database ends the service with a sentence', async () => {
  using sandbox = new CliSandbox(databasesRoot());
  await copyReadyDatabase(sandbox.path('data'));
  const { running } = await serve(sandbox);
  const pid = Number(readFileSync(sandbox.path('data', 'postgres', '18', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  const said = await running.ended;
  expect(said.code).toBe(1);
  expect(said.stderr).toContain('[database/lost]');
});

test('wrong settings and options are told in words', async () => {
  using sandbox = new CliSandbox(databasesRoot());
  const tries: [string[], Record<string, string>, number, string][] = [
    [['--role', 'web,king'], {}, 2, 'web, worker, scheduler'], [['--port', '70000'], {}, 2, '0 to 65535'],
    [[], { HOLDFAST_LOCATIONS: '[{"id": "DE"}]' }, 1, 'server/bad-locations'], [[], { DATABASE_URL: 'mysql://u:secret-pw@h/d' }, 1, 'database/bad-url'],
    [[], { HOLDFAST_URL: 'example.test' }, 1, 'server/bad-url'], [[], { SMTP_URL: 'smtp://u:secret-pw@h?tls=optional' }, 1, 'mail/bad-url'],
    [[], { SMTP_URL: 'smtp://h', HOLDFAST_MAIL_FROM: 'nobody' }, 1, 'server/bad-mail-from'], [[], { HOLDFAST_SUPPORT_ADDRESS: 'nobody' }, 1, 'server/bad-support-address'],
  ];
  for (const [args, more, code, text] of tries) {
    const said = await sandbox.run(['serve', '--port', '0', ...args], { environment: { ...environment(sandbox), ...more } });
    expect([args, more, said.code]).toEqual([args, more, code]);
    expect(said.stderr).toContain(text);
    expect(said.stderr).not.toContain('secret-pw');
  }
  const { stdout } = await sandbox.run(['serve', '--help']);
  for (const name of ['HOLDFAST_DATA', 'DATABASE_URL', 'HOLDFAST_URL', 'HOLDFAST_MASTER_KEY_FILE', 'HOLDFAST_LOCATIONS', 'SMTP_URL', '--role', '--port']) expect(stdout).toContain(name);
});

test('another master key is refused', async () => {
  using sandbox = new CliSandbox(databasesRoot());
  await copyReadyDatabase(sandbox.path('data'));
  const { running } = await serve(sandbox);
  running.child.kill('SIGTERM');
  await running.ended;
  const said = await sandbox.run(['serve', '--port', '0'], { environment: { ...environment(sandbox), HOLDFAST_MASTER_KEY_FILE: sandbox.path('other.key') } });
  expect(said.code).toBe(1);
  expect(said.stderr).toContain('[accounts/wrong-master-key]');
});
