import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CliSandbox } from './cliSandbox.ts';

interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly data: object };
}

/** Every command with the fewest arguments that are no wrong usage. */
const COMMANDS: readonly (readonly string[])[] = [
  ['repo', 'init'], ['backup', 'folder', '.'],
  ['backup', 'imap', '--host', '127.0.0.1', '--port', '1', '--user', 'u', '--password-file', '-'],
  ['snapshots'], ['ls', 'latest'], ['diff', 'latest', 'latest'], ['restore', 'folder', 'latest', '--to', 'nowhere'],
  ['restore', 'imap', 'latest', '--host', '127.0.0.1', '--port', '1', '--user', 'u', '--password-file', '-'],
  ['check'], ['prune', '--keep-last', '1'], ['rebuild'],
];

const pathOf = (command: readonly string[]): string[] => command.slice(0, ['repo', 'backup', 'restore'].includes(command[0] ?? '') ? 2 : 1);

test('help names every command, every setting and the exit codes', async () => {
  using sandbox = new CliSandbox();
  const { code, stdout, stderr } = await sandbox.run(['--help']);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command[0]} `, 'm'));
  for (const word of ['HOLDFAST_REPO', 'HOLDFAST_KEY_FILE', 'HOLDFAST_CACHE', '130 interrupted']) expect(stdout).toContain(word);
});

test.each(COMMANDS.map((command) => [pathOf(command).join(' '), command] as const))('%s has help and --json', async (name, command) => {
  using sandbox = new CliSandbox();
  const { code, stdout } = await sandbox.run([...pathOf(command), '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: holdfast ${name}`);
  for (const option of ['--json', '--repo <url>', '--key-file <file>']) expect(stdout).toContain(option);
});

test.each(COMMANDS.map((command) => [pathOf(command).join(' '), command] as const))('%s without a repository is wrong usage', async (name, command) => {
  using sandbox = new CliSandbox();
  const environment = { HOLDFAST_REPO: undefined };
  // Where a mailbox cannot be reached, that is said first.
  const expected = name === 'backup imap' ? { code: 1, error: 'imap/unavailable' } : { code: 2, error: 'usage/no-repository' };
  const document = await sandbox.json<ErrorDocument>(command, expected.code, { environment, stdin: 'pw\n' });
  expect(document.error.code).toBe(expected.error);
  const said = await sandbox.run(command, { environment, stdin: 'pw\n' });
  expect(said).toMatchObject({ code: expected.code, stdout: '' });
  expect(said.stderr).toMatch(/^holdfast: .+ \[[a-z-]+\/[a-z-]+\]\n$/);
});

test.each([
  [['nonsense'], 'unknownCommand'],
  [['ls'], 'missingArgument'],
  [['ls', 'latest', '--nonsense'], 'unknownOption'],
  [['backup', 'folder', '.', '--profile', 'best'], 'invalidArgument'],
  [['backup', 'imap', '--user', 'u'], 'missingMandatoryOptionValue'],
  [['backup', 'imap', '--host', 'h', '--user', 'u', '--port', '0'], 'invalidArgument'],
  [['backup', 'imap', '--host', 'h', '--user', 'u', '--port', '1e2'], 'invalidArgument'],
  [['backup', 'imap', '--host', 'h', '--user', 'u', '--password-file', 'a', '--token-file', 'b'], 'conflictingOption'],
  [['snapshots', 'surplus'], 'excessArguments'],
  [['restore', 'folder', 'latest'], 'missingMandatoryOptionValue'],
  [['restore', 'folder', 'latest', '--to', 'x', '--mode', 'separate'], 'invalidArgument'],
  [['check', '--read-data=0'], 'invalidArgument'],
  [['check', '--read-data=101'], 'invalidArgument'],
  [['check', '--read-data=half'], 'invalidArgument'],
  [['prune'], 'no-policy'],
  [['prune', '--keep-last', '0'], 'invalidArgument'],
  [['prune', '--keep-within', '30'], 'invalidArgument'],
  [['prune', '--keep-within', '0d'], 'invalidArgument'],
])('%o is wrong usage: %s', async (args, what) => {
  using sandbox = new CliSandbox();
  const document = await sandbox.json<ErrorDocument>(args, 2);
  expect(document.error.code).toBe(`usage/${what}`);
  const said = await sandbox.run(args);
  expect(said).toMatchObject({ code: 2, stdout: '' });
  expect(said.stderr).toContain('holdfast: ');
});

test('a group of commands alone shows what there is, as wrong usage', async () => {
  using sandbox = new CliSandbox();
  const said = await sandbox.run(['backup']);
  expect(said).toMatchObject({ code: 2, stdout: '' });
  expect(said.stderr).toContain('backs up a directory tree');
});

test('the version is that of the package', async () => {
  using sandbox = new CliSandbox();
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(file) as { version: string };
  expect(await sandbox.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  const real = await sandbox.start(['--version']).ended;
  expect(real).toMatchObject({ code: 0, stdout: `${version}\n` });
});

test('the real command ends with the code and one document on stdout', async () => {
  using sandbox = new CliSandbox();
  const said = await sandbox.start(['ls', 'latest', '--json'], { HOLDFAST_REPO: sandbox.path('none') }).ended;
  expect(said.code).toBe(1);
  expect((JSON.parse(said.stdout) as ErrorDocument).error.code).toBe('key/missing');
});

test('nobody reading the output any longer is an end without a word', async () => {
  using sandbox = new CliSandbox();
  const running = sandbox.start(['--help']);
  running.child.stdout?.destroy();
  const { stderr } = await running.ended;
  expect(stderr).toBe('');
});
