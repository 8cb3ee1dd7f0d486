/** Plants what .oxlintrc.json must see: a rule that is spelled wrong, or a type-aware one that cannot run, is silent otherwise. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const ROOT = dirname(import.meta.dirname);
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) copyFileSync(join(ROOT, file), join(root, file));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
});

afterEach(() => rmSync(root, { recursive: true }));

function rulesSeen(path: string, text: string): string[] {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '-f', 'json', dirname(path)], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const report = JSON.parse(stdout || `{"failed": ${JSON.stringify(stderr)}}`) as { diagnostics: { code: string }[]; number_of_files: number };
  expect(report.number_of_files).toBe(1);
  return report.diagnostics.map(({ code }) => code.replace(/^.*\((.*)\)$/, '$1'));
}

const LONG = `export function long(): number {\n${'  void 0;\n'.repeat(81)}  return 1;\n}\n`;
const TANGLED = `export function tangled(n: number): number {\n${Array.from({ length: 16 }, (_, i) => `  if (n === ${i}) return ${i};\n`).join('')}  return n;\n}\n`;

test.each([
  ['no-floating-promises', 'async function f(): Promise<void> {}\nexport function g(): void { f(); }'],
  ['no-misused-promises', 'export function g(list: number[]): void { list.forEach(async () => { await 1; }); }'],
  ['no-throw-literal', "export function g(): never { throw 'text'; }"],
  ['no-explicit-any', 'export const a: any = 1;'],
  ['no-non-null-assertion', 'export const f = (a: string | undefined): string => a!;'],
  ['no-console', "console.log('a');"],
  ['no-empty', 'try { JSON.parse("1"); } catch {}'],
  ['max-lines-per-function', LONG],
  ['complexity', TANGLED],
  ['no-restricted-properties', 'export const a = Date.now();'],
  ['no-restricted-properties', 'export const a = Math.random();'],
  ['no-restricted-properties', "export const a = process.env['HOME'];"],
  ['no-restricted-properties', 'export const a = performance.now();'],
  ['no-restricted-imports', "import { randomBytes } from 'node:crypto';\nexport const a = randomBytes(1);"],
  ['no-restricted-imports', "import { randomUUID } from 'node:crypto';\nexport const a = randomUUID();"],
])('%s is seen in src', (rule, text) => {
  expect(rulesSeen('src/storage/a.ts', text)).toContain(rule);
});

test('runtime may read the clock, the environment and make randomness', () => {
  const text = "import { randomBytes } from 'node:crypto';\nexport const a = [Date.now(), process.env['HOME'], randomBytes(1), Math.random()];";
  expect(rulesSeen('src/runtime/a.ts', text)).toEqual([]);
});

test('tests and tools may, too; the command line may print', () => {
  expect(rulesSeen('tools/a.ts', "console.log(Date.now(), process.env['HOME']);")).toEqual([]);
  expect(rulesSeen('src/cli/a.ts', "console.log('a');")).toEqual([]);
  expect(rulesSeen('src/backup/testThing.ts', 'export const a: any = Date.now();')).toEqual([]);
});

test('clean code is clean', () => {
  expect(rulesSeen('src/storage/a.ts', 'export const a = 1;\n')).toEqual([]);
});
