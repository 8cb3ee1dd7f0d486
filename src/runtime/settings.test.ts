import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { readSettings, SETTINGS } from './settings.ts';

test('reads what is set; an empty variable is not set', () => {
  const settings = readSettings({ HOLDFAST_REPO: '/srv/backup', HOLDFAST_KEY_FILE: '', HOLDFAST_CACHE: '/var/cache/x' });
  expect(settings).toMatchObject({ repository: '/srv/backup', keyFile: undefined, cacheDirectory: '/var/cache/x' });
});

test.each([
  [{ HOME: '/home/ann' }, '/home/ann/.cache/holdfast'],
  [{ HOME: '/home/ann', XDG_CACHE_HOME: '/c' }, '/c/holdfast'],
  [{ HOME: '/home/ann', XDG_CACHE_HOME: 'not/absolute' }, '/home/ann/.cache/holdfast'],
  [{ HOLDFAST_CACHE: 'here' }, `${process.cwd()}/here`],
  [{}, `${homedir()}/.cache/holdfast`],
])('caches lie where the environment %o says', (environment, expected) => {
  expect(readSettings(environment).cacheDirectory).toBe(expected);
});

test('every setting has a name of ours, or the one that its service gave it, and a text', () => {
  for (const { name, text } of Object.values(SETTINGS)) {
    expect(name).toMatch(/^(HOLDFAST|AWS|AZURE|GOOGLE|STORAGE)_[A-Z_]+$/);
    expect(text).not.toBe('');
  }
});
