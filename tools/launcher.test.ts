/** The launchers in bin/, tried in a copy whose "Node" is a script that tells how it was called. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ROOT = dirname(import.meta.dirname);
const PLATFORM = `${process.platform}-${process.arch}`;
let scratch: string;
let checkout: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast launcher-'));
  checkout = join(scratch, 'check out');
  mkdirSync(join(checkout, 'bin'), { recursive: true });
  for (const name of ['holdfast', 'node', 'findNode.sh']) copyFileSync(join(ROOT, 'bin', name), join(checkout, 'bin', name));
  const node = join(checkout, 'node_modules', `node-${PLATFORM}`, 'bin', 'node');
  mkdirSync(dirname(node), { recursive: true });
  writeFileSync(node, '#!/bin/sh\nprintf "%s\\n" "$0" "$@" "$MALLOC_ARENA_MAX" "$NODE_COMPILE_CACHE"\n');
  chmodSync(node, 0o755);
});

afterEach(() => rmSync(scratch, { recursive: true }));

function start(command: string, args: string[], cwd: string, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', HOME: join(scratch, 'home'), ...env },
    timeout: 20_000,
  });
  return { status, lines: stdout.split('\n'), stderr };
}

function expected(...args: string[]): string[] {
  return [join(checkout, 'node_modules', `node-${PLATFORM}`, 'bin', 'node'), '--disable-warning=ExperimentalWarning', ...args];
}

function expectedCli(...args: string[]): string[] {
  const [node = '', warnings = ''] = expected();
  const young = args[1] === 'backup' ? 1 : 8;
  return [node, warnings, `--min-semi-space-size=${young}`, `--max-semi-space-size=${young}`, ...args];
}

test('holdfast finds its checkout from any directory, through symbolic links, and passes arguments on as they are', () => {
  const main = join(checkout, 'src/cli/main.ts');
  symlinkSync(join(checkout, 'bin', 'holdfast'), join(scratch, 'absolute'));
  symlinkSync('absolute', join(scratch, 'relative'));
  const args = ['backup', 'a b', '', '$HOME', '-x'];
  for (const [command, cwd] of [
    [join(checkout, 'bin/holdfast'), '/'], ['./holdfast', join(checkout, 'bin')], [join(scratch, 'relative'), '/'], ['./relative', scratch],
  ] as const) {
    expect(start(command, args, cwd).lines.slice(0, 11), command).toEqual([...expectedCli(main, ...args), '1']);
  }
  expect(start('relative', args, '/', { PATH: `${scratch}:/usr/bin:/bin` }).lines.slice(0, 6)).toEqual(expectedCli(main, 'backup'));
  expect(start('sh', ['relative', ...args], scratch).lines.slice(0, 6)).toEqual(expectedCli(main, 'backup'));
  expect(start('sh', ['holdfast'], join(checkout, 'bin')).lines.slice(0, 5)).toEqual(expectedCli(main));
});

test('compiled code is kept in a folder of one\'s own, unless told otherwise', () => {
  const command = join(checkout, 'bin/holdfast');
  const cache = join(scratch, 'home/.cache/holdfast/compile');
  expect(start(command, [], '/').lines[6]).toBe(cache);
  expect(statSync(cache).mode & 0o777).toBe(0o700);
  expect(start(command, [], '/', { XDG_CACHE_HOME: join(scratch, 'xdg') }).lines[6]).toBe(join(scratch, 'xdg/holdfast/compile'));
  expect(start(command, [], '/', { XDG_CACHE_HOME: 'relative' }).lines[6]).toBe(cache);
  expect(start(command, [], '/', { HOME: '' }).lines[6]).toBe('');
  expect(start(command, [], '/', { NODE_COMPILE_CACHE: '/given' }).lines[6]).toBe('/given');
  expect(start(command, [], '/', { MALLOC_ARENA_MAX: '7' }).lines[5]).toBe('7');
  expect(start(command, [], '/', { HOME: '/proc/nowhere' })).toMatchObject({ status: 0, stderr: '' });
});

test('bin/node runs the same Node', () => {
  expect(start(join(checkout, 'bin/node'), ['a.ts', 'b c'], '/').lines.slice(0, 4)).toEqual(expected('a.ts', 'b c'));
});

describe('where no Node is packaged', () => {
  let path: string;

  beforeEach(() => {
    rmSync(join(checkout, 'node_modules'), { recursive: true });
    const fakes = join(scratch, 'fakes');
    mkdirSync(fakes);
    writeFileSync(join(fakes, 'uname'), '#!/bin/sh\necho Plan9\n');
    writeFileSync(join(fakes, 'node'), `#!/bin/sh\ncase $1 in -e) exit "$FAKE_TOO_OLD" ;; esac\nprintf "%s\\n" "$@"\n`);
    for (const name of ['uname', 'node']) chmodSync(join(fakes, name), 0o755);
    path = `${fakes}:/usr/bin:/bin`;
  });

  test('the machine\'s own does, when it is new enough', () => {
    const { status, lines } = start(join(checkout, 'bin/holdfast'), ['check'], '/', { PATH: path, FAKE_TOO_OLD: '0' });
    expect(status).toBe(0);
    expect(lines.slice(0, 5)).toEqual(['--disable-warning=ExperimentalWarning', '--min-semi-space-size=8', '--max-semi-space-size=8', join(checkout, 'src/cli/main.ts'), 'check']);
  });

  test('an old one is refused with what is needed', () => {
    const { status, stderr } = start(join(checkout, 'bin/holdfast'), [], '/', { PATH: path, FAKE_TOO_OLD: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain('Plan9');
    expect(stderr).toContain('Node 24');
  });
});

test.each(['holdfast', 'node'])('%s says what to do when its Node is missing', (name) => {
  rmSync(join(checkout, 'node_modules'), { recursive: true });
  const { status, stderr } = start(join(checkout, 'bin', name), [], '/');
  expect(status).toBe(1);
  expect(stderr).toContain(`node_modules/node-${PLATFORM}`);
  expect(stderr).toContain('npm ci');
});
