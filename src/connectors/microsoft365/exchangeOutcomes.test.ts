import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'coverage', 'exchange.md');
/** How the connector names what became of an item. */
const NAMED = /(?:losses\.add|failed|altered|left)\('([a-z]+(?:-[a-z]+)*)'|state: '[a-z]+', code: '([a-z]+(?:-[a-z]+)*)'/g;

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const text = (names: readonly string[]): string => names.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\n');

test('each code with which a backup, a restore or an undo names an item is expected by a test, and is in the page of what is covered', () => {
  const codes = new Set([...text(files.filter((name) => name.startsWith('exchange/') && !name.endsWith('.test.ts'))).matchAll(NAMED)].map(([, one, other]) => one ?? other ?? ''));
  expect(codes.size).toBeGreaterThan(40);
  const [tests, page] = [text(files.filter((name) => name.endsWith('.test.ts') && !name.endsWith('exchangeOutcomes.test.ts'))), readFileSync(PAGE, 'utf8')];
  const isIn = (whole: string, code: string): boolean => new RegExp(`(?<![\\w-])${code}(?![\\w-])`).test(whole);
  expect([...codes].filter((code) => !isIn(tests, code))).toEqual([]);
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
