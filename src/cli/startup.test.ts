import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const IMPORT = /^(?:import|export) (?!type )[^;]*? from '(\.[^']+)';/gms;

/** All modules that are loaded together with `entry`, before any command has been chosen. */
function loadedWith(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, target = ''] of readFileSync(entry, 'utf8').matchAll(IMPORT)) loadedWith(resolve(dirname(entry), target), seen);
  return seen;
}

test('before a command is chosen nothing is loaded but the parser and what lies under all', () => {
  const src = dirname(import.meta.dirname);
  const loaded = [...loadedWith(resolve(import.meta.dirname, 'main.ts'))].map((path) => relative(src, path));
  expect(loaded).toContain('cli/defineCommands.ts');
  expect(loaded.filter((path) => !/^(cli\/[A-Za-z]+|runtime\/[A-Za-z]+|domain\/[A-Za-z]+)\.ts$/.test(path))).toEqual([]);
});
