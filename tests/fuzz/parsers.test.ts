/** Whether the fuzzer reaches every parser of bytes that others may have written. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { UNFED } from './unfedParsers.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = ['src/repository', 'src/formats', 'src/catalog', 'src/connectors'];
const PARSER = /^export (?:async )?function\*? ((?:parse|read|decode|open|load|split|unwrap)\w*)/gm;

/** 'file name' of every exported function that is called like a parser. */
function parsersIn(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing/')).map((file) => `${folder}/${file}`);
  return files.flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(PARSER)].map(([, name]) => `${file} ${name}`));
}

test('every function that reads or decodes is reached by the samples of a target, or it is said why not', { timeout: 310_000 }, async () => {
  const parsers = FOLDERS.flatMap(parsersIn);
  expect(parsers.length).toBeGreaterThan(40);
  const program = fileURLToPath(new URL('./reachedParsers.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program], { maxBuffer: 1 << 24, timeout: 300_000 });
  const reached = new Set(JSON.parse(stdout) as string[]);
  const unreached = parsers.filter((parser) => !reached.has(parser));
  // A parser that is not here needs a target in tests/fuzz, or a line with its reason; one that is here in vain loses its line.
  expect(unreached.toSorted()).toEqual(Object.keys(UNFED).toSorted());
});
