import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Holds the table of docs/format/invariants.md to the tests that it names. */
const FOLDER = join(import.meta.dirname, '../../docs/format');

interface Invariant {
  readonly number: string;
  readonly tests: readonly string[];
}

function invariants(): Invariant[] {
  const table = readFileSync(join(FOLDER, 'invariants.md'), 'utf8');
  return [...table.matchAll(/^\| (I\d+) \|(.*)\|$/gm)].map(([, number = '', rest = '']) => {
    const proofs = rest.split('|').at(-1) ?? '';
    return { number, tests: [...proofs.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => join(FOLDER, link)) };
  });
}

test('invariants are numbered without gaps, and each names a test', () => {
  const found = invariants();
  expect(found.length).toBeGreaterThanOrEqual(20);
  expect(found.map(({ number }) => number)).toEqual(found.map((_, i) => `I${i + 1}`));
  expect(found.filter(({ tests }) => tests.length === 0)).toEqual([]);
});

test('each test that is named exists and cites the number', () => {
  const missing = invariants().flatMap(({ number, tests }) =>
    tests.filter((path) => !existsSync(path) || !new RegExp(`\\b${number}\\b`).test(readFileSync(path, 'utf8'))).map((path) => `${number}: ${path}`));
  expect(missing).toEqual([]);
});
