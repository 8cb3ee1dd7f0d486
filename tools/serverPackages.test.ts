import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { freePorts } from '../tests/servers/freePorts.ts';
import { entryOf, folderOf, missingServerPackages, SERVER_PACKAGES } from '../tests/servers/serverPackages.ts';
import { installServerPackages } from './serverPackages.ts';

const one = { name: 'some-server', version: '1.2.3', entry: 'main.js' };
let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-servers-'));
  vi.stubEnv('XDG_CACHE_HOME', scratch);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(scratch, { recursive: true });
});

test('each version has a folder of its own in the cache', () => {
  expect(folderOf(one)).toBe(join(scratch, 'holdfast', 'testServers', 'some-server-1.2.3'));
  expect(folderOf(one, { HOME: '/home/ann', XDG_CACHE_HOME: 'relative' })).toBe('/home/ann/.cache/holdfast/testServers/some-server-1.2.3');
  expect(folderOf(one, {})).toContain(homedir());
  for (const { version } of SERVER_PACKAGES) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('what is there is not missing, and is not installed again', async () => {
  expect(missingServerPackages([one])).toEqual([one]);
  expect(() => entryOf(one)).toThrow('tools/serverPackages.ts');
  const entry = join(folderOf(one), 'node_modules', 'some-server', 'main.js');
  mkdirSync(dirname(entry), { recursive: true });
  writeFileSync(entry, '');
  expect(entryOf(one)).toBe(entry);
  expect(missingServerPackages([one])).toEqual([]);
  expect(await installServerPackages(missingServerPackages([one]))).toBe(true);
});

test('an installation that fails is told, and leaves nothing', async () => {
  const [port = 0] = await freePorts(1);
  vi.stubEnv('npm_config_registry', `http://127.0.0.1:${port}/`);
  vi.stubEnv('npm_config_fetch_retries', '0');
  vi.stubEnv('npm_config_cache', join(scratch, 'npm'));
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  expect(await installServerPackages([one])).toBe(false);
  expect(told.mock.calls.flat().join('\n')).toContain('some-server 1.2.3 could not be installed');
  expect(readdirSync(join(scratch, 'holdfast', 'testServers'))).toEqual([]);
});
