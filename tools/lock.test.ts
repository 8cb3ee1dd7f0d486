import { expect, test } from 'vitest';
import { checkLock, completeLock } from './lock.ts';
import type { Lock } from './lock.ts';

const LINUX = { version: '1.0.0', integrity: 'sha512-x', optional: true, os: ['linux'], cpu: ['x64'] };

function lock(packages: Lock['packages']): Lock {
  return { packages: { '': {}, ...packages } };
}

test('sees an address, a missing platform and a missing hash', () => {
  const wrong = checkLock(lock({
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-x', resolved: 'https://somewhere.test/a.tgz' },
    'node_modules/b': { version: '1.0.0' },
    'node_modules/tool': {
      version: '1.0.0', integrity: 'sha512-x', optionalDependencies: { '@tool/linux-x64': '1.0.0', '@tool/darwin-arm64': '1.0.0' },
    },
    'node_modules/@tool/linux-x64': LINUX,
  }));
  expect(wrong).toEqual([
    expect.stringMatching(/^node_modules\/a names where it was fetched from/),
    expect.stringMatching(/^@tool\/darwin-arm64, which node_modules\/tool names, is missing/),
    expect.stringMatching(/^node_modules\/b has no integrity/),
  ]);
});

test('completes it so that npm skips what is for other platforms', () => {
  const names = ['@tool/binding-darwin-arm64', '@tool/binding-linux-arm-musleabihf', '@tool/binding-linux-x64-gnu', '@tool/win32-x64'];
  const complete = completeLock(lock({
    'node_modules/tool': {
      version: '1.0.0', integrity: 'sha512-x', dev: true, optionalDependencies: Object.fromEntries(names.map((name) => [name, '2.0.0'])),
    },
  }));
  const common = { version: '2.0.0', dev: true, optional: true };
  expect(complete.packages).toMatchObject({
    'node_modules/@tool/binding-darwin-arm64': { ...common, os: ['darwin'], cpu: ['arm64'] },
    'node_modules/@tool/binding-linux-arm-musleabihf': { ...common, os: ['linux'], cpu: ['arm'], libc: ['musl'] },
    'node_modules/@tool/binding-linux-x64-gnu': { ...common, os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
    'node_modules/@tool/win32-x64': { ...common, os: ['win32'], cpu: ['x64'] },
  });
  expect(checkLock(complete)).toEqual([]);
});

test('a package whose name tells no platform is left to a person', () => {
  const incomplete = lock({ 'node_modules/tool': { version: '1.0.0', integrity: 'sha512-x', optionalDependencies: { extra: '1.0.0' } } });
  expect(() => completeLock(incomplete)).toThrow(/extra/);
});
