import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CliSandbox } from './cliSandbox.ts';

interface Made {
  readonly repository: string;
  readonly location: string;
  readonly keyFile: string;
  readonly keyFileMade: boolean;
  readonly recoveryKey: string;
}

const RECOVERY_KEY = /(?:[0-9A-Z]{5}-){13}[0-9A-Z]{5}/;

/** The recovery key of a text for people, where it goes over two lines. */
function shownKey(text: string): string {
  return RECOVERY_KEY.exec(text.replace(/-\n +/, '-'))?.[0] ?? '';
}

test('makes repository and key file, and shows the recovery key, which opens it', async () => {
  using sandbox = new CliSandbox();
  const said = await sandbox.run(['repo', 'init']);
  expect(said).toMatchObject({ code: 0, stderr: '' });
  expect(said.stdout).toContain(sandbox.path('key'));
  expect(statSync(sandbox.path('key')).mode & 0o777).toBe(0o600);
  expect(statSync(sandbox.path('repo')).mode & 0o777).toBe(0o700);

  writeFileSync(sandbox.path('sheet'), `${shownKey(said.stdout).toLowerCase().replaceAll('-', ' ')}\n`);
  expect(await sandbox.json(['snapshots'])).toEqual([]);
  const withSheet = ['snapshots', '--recovery-key-file', sandbox.path('sheet')];
  expect(await sandbox.json(withSheet, 0, { environment: { HOLDFAST_KEY_FILE: undefined } })).toEqual([]);
  expect(await sandbox.json(['snapshots', '--recovery-key-file', '-'], 0, { stdin: shownKey(said.stdout) })).toEqual([]);
});

test('the key itself is nowhere in what is said, nor in the repository', async () => {
  using sandbox = new CliSandbox();
  const said = await sandbox.run(['repo', 'init']);
  const [, secret = ''] = readFileSync(sandbox.path('key'), 'utf8').split(':');
  expect(secret.length).toBeGreaterThan(40);
  expect(said.stdout + said.stderr).not.toContain(secret);
  const hidden = [Buffer.from(secret), Buffer.from(secret, 'base64url'), Buffer.from(shownKey(said.stdout))];
  for (const file of readdirSync(sandbox.path('repo'), { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const bytes = readFileSync(`${file.parentPath}/${file.name}`);
    for (const key of hidden) expect(bytes.includes(key)).toBe(false);
  }
});

test('the document says what was made', async () => {
  using sandbox = new CliSandbox();
  const made = await sandbox.json<Made>(['repo', 'init', '--key-file', sandbox.path('mine')]);
  expect(made).toEqual({
    repository: expect.stringMatching(/^[0-9a-f]{32}$/), location: `file://${sandbox.path('repo')}`,
    keyFile: sandbox.path('mine'), keyFileMade: true, lock: null, recoveryKey: expect.stringMatching(RECOVERY_KEY),
  });
  const second = await sandbox.json<Made>(['repo', 'init', '--key-file', sandbox.path('mine'), '--repo', sandbox.path('second')]);
  expect(second).toMatchObject({ keyFile: sandbox.path('mine'), keyFileMade: false });
  expect(second.recoveryKey).not.toBe(made.recoveryKey);
});

test('refuses an existing repository, and leaves no key for it', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['repo', 'init']);
  const before = readdirSync(sandbox.path('repo'), { recursive: true });
  const again = await sandbox.run(['repo', 'init', '--key-file', sandbox.path('other')]);
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toContain('[repository/exists]');
  expect(readdirSync(sandbox.directory)).not.toContain('other');
  expect(readdirSync(sandbox.path('repo'), { recursive: true })).toEqual(before);
});

test.each([
  ['a file in place of the folder', 'storage/no-location', (sandbox: CliSandbox) => writeFileSync(sandbox.path('repo'), 'x')],
  ['a key file that is none', 'key/malformed', (sandbox: CliSandbox) => writeFileSync(sandbox.path('key'), 'x')],
  ['a folder in place of the key file', 'key/unreadable', (sandbox: CliSandbox) => { mkdirSync(sandbox.path('key')); }],
])('%s is refused: %s', async (_what, code, prepare) => {
  using sandbox = new CliSandbox();
  prepare(sandbox);
  const said = await sandbox.run(['repo', 'init']);
  expect(said).toMatchObject({ code: 1, stdout: '' });
  expect(said.stderr).toContain(`[${code}]`);
});

test('a key file inside the repository is refused, through links too', async () => {
  using sandbox = new CliSandbox();
  mkdirSync(sandbox.path('repo'));
  const said = await sandbox.run(['repo', 'init', '--key-file', sandbox.path('repo', 'key')]);
  expect(said.code).toBe(1);
  expect(said.stderr).toContain('[cli/key-in-repository]');
  expect(readdirSync(sandbox.path('repo'))).not.toContain('key');
});

test('the key of another repository does not open this one, and says so', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['repo', 'init']);
  await sandbox.json(['repo', 'init', '--repo', sandbox.path('other'), '--key-file', sandbox.path('other.key')]);
  const said = await sandbox.run(['snapshots', '--key-file', sandbox.path('other.key')]);
  expect(said).toMatchObject({ code: 1, stdout: '' });
  expect(said.stderr).toContain('[repository/wrong-key]');
});

test('a mistyped recovery key is told by its group', async () => {
  using sandbox = new CliSandbox();
  const { recoveryKey } = await sandbox.json<Made>(['repo', 'init']);
  const wrong = (recoveryKey.startsWith('Z') ? 'Y' : 'Z') + recoveryKey.slice(1);
  const document = await sandbox.json<{ error: object }>(['snapshots', '--recovery-key-file', '-'], 1, { stdin: wrong });
  expect(document.error).toMatchObject({ code: 'key/recovery-typo', data: { groups: '1' } });
});

test('who may read the key file is looked at', async () => {
  using sandbox = new CliSandbox();
  await sandbox.json(['repo', 'init']);
  const { chmodSync } = await import('node:fs');
  chmodSync(sandbox.path('key'), 0o644);
  const said = await sandbox.run(['snapshots']);
  expect(said).toMatchObject({ code: 0, stdout: 'No snapshot yet.\n' });
  expect(said.stderr).toContain('chmod 600');
});
