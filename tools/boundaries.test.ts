import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkBoundaries } from './boundaries.ts';
import { FOLDER_RULES } from './boundaryTable.ts';
import { importsOf, parseModule, readModules } from './modules.ts';

const DEPENDENCIES = new Set(['commander', '@scope/kept']);

function judge(path: string, text: string): string[] {
  return checkBoundaries([parseModule(path, text)], DEPENDENCIES).map(({ line, message }) => `${line}: ${message}`);
}

const ALLOWED: [path: string, text: string][] = [
  ['src/storage/fileStorage.ts', "import { open } from 'node:fs/promises'; import type { Range } from './contract.ts';"],
  ['src/repository/pack.ts', "import type { Storage } from '../storage/index.ts'; import { x } from './inner/deep.ts';"],
  ['src/repository/inner/deep.ts', "import { y } from '../pack.ts'; import { z } from '../../domain/index.ts';"],
  ['src/repository/pool.ts', "new Worker(new URL('./worker.ts', import.meta.url)); new URL('./chunker.wasm', import.meta.url);"],
  ['src/backup/run.ts', "import type { SourceSession } from '../connectors/contract.ts';"],
  ['src/connectors/index.ts', "export { a } from './folder/index.ts';"],
  ['src/connectors/imap/source.ts', "import type { Descriptor } from '../contract.ts'; import '../../formats/index.ts';"],
  ['src/connectors/imap/source.test.ts', "import { suite } from '../conformance.ts'; import 'vitest'; import '../../repository/index.ts';"],
  ['src/cli/main.ts', "await import('./backupCommand.ts'); import 'commander'; import '@scope/kept/part'; import '../backup/index.ts';"],
  ['src/connectors/conformance.ts', "import { test } from 'vitest';"],
  ['src/catalog/testing/scratch.ts', "import '../../storage/index.ts'; import 'vitest';"],
  ['src/connectors/imap/a.test.ts', "import '../snapshotModel.ts';"],
  ['tests/bench/chunks.ts', "import '../../src/repository/chunker.ts'; import '../support/x.ts';"],
  ['tests/fuzz/targets.ts', "import '../../src/connectors/imap/cursor.ts'; import '../repository/seeded.ts';"],
  ['tests/cli/a.ts', "import '../../src/cli/index.ts';"],
  ['src/connectors/imap/a.test.ts', "import '../../../simulators/microsoft365/index.ts';"],
  ['tests/cli/a.ts', "import '../../simulators/microsoft365/index.ts';"],
  ['simulators/simulate.ts', "import './microsoft365/index.ts';"],
  ['simulators/microsoft365/mail/a.ts', "import '../server/call.ts';"],
  ['src/storage/index.ts', "export { checkConformance } from './conformance.ts';"],
  ['tools/generate.ts', "new URL('../src/repository/table.ts', import.meta.url);"],
  ['tests/crash.test.ts', "import '../src/repository/index.ts'; import './support/dovecot.ts';"],
];

test.each(ALLOWED)('allows what the table allows: %s', (path, text) => {
  expect(judge(path, text)).toEqual([]);
});

const BANNED: [name: string, path: string, text: string, reason: RegExp][] = [
  ['an upward import', 'src/storage/a.ts', "import '../repository/index.ts';", /^1: imports src\/repository\/index.ts: storage is a dumb bucket/],
  ['a type from above', 'src/domain/a.ts', "\nimport type { A } from '../runtime/index.ts';", /^2: .*every folder to it/],
  ['a type in place', 'src/domain/a.ts', "type A = import('../runtime/index.ts').A;", /runtime/],
  ['a re-export', 'src/catalog/a.ts', "export * from '../repository/index.ts';", /rebuilt from anywhere/],
  ['a lazy import', 'src/backup/a.ts', "await import('../recovery/index.ts');", /meet only in the repository/],
  ['an inner file', 'src/backup/a.ts', "import '../repository/pack.ts';", /only src\/repository\/index.ts is its door/],
  ['an inner file, from a test', 'src/backup/a.test.ts', "import '../repository/pack.ts';", /is its door/],
  ['the product, from a stand-in', 'simulators/microsoft365/a.ts', "import '../../src/domain/index.ts';", /share its mistakes/],
  ['the product, from a test of a stand-in', 'simulators/microsoft365/a.test.ts', "import '../../src/domain/index.ts';", /share its mistakes/],
  ['a stand-in, from the product', 'src/connectors/imap/a.ts', "import '../../../simulators/microsoft365/index.ts';", /only reads and writes its service/],
  ['the inside of a stand-in', 'tests/a.test.ts', "import '../simulators/microsoft365/world.ts';", /is its door/],
  ['an inner file, from tests', 'tests/a.test.ts', "import '../src/repository/pack.ts';", /is its door/],
  ['the list of connectors, from a stage', 'src/backup/a.ts', "import '../connectors/index.ts';", /contract alone/],
  ['a connector, from a stage', 'src/recovery/a.ts', "import '../connectors/imap/index.ts';", /contract alone/],
  ['a connector, from another', 'src/connectors/imap/a.ts', "import '../folder/index.ts';", /circle/],
  ['the list, from a connector', 'src/connectors/imap/a.ts', "import '../index.ts';", /circle/],
  ['the suite, from a connector', 'src/connectors/imap/a.ts', "import '../conformance.ts';", /never depends on tests/],
  ['an inner file, from the list', 'src/connectors/index.ts', "import './imap/source.ts';", /is its door/],
  ['a test helper', 'src/backup/a.ts', "import '../../tests/support/x.ts';", /never depends on tests/],
  ['a test helper beside the code', 'src/catalog/a.ts', "import './testing/scratch.ts';", /never depends on tests/],
  ['a worker elsewhere', 'src/backup/a.ts', "new Worker(new URL('../repository/worker.ts', import.meta.url));", /folder that starts it/],
  ['a computed name', 'src/cli/a.ts', 'await import(`./${name}.ts`);', /computed/],
  ['a development package', 'src/cli/a.ts', "import 'fast-check';", /package fast-check/],
  ['a scoped package', 'src/cli/a.ts', "import '@scope/other';", /package @scope\/other/],
  ['I/O in domain', 'src/domain/a.ts', "import 'node:fs';", /no I\/O/],
  ['I/O in formats', 'src/formats/a.ts', "import 'node:fs/promises';", /pure/],
  ['a bare built-in', 'src/cli/a.ts', "import 'fs';", /node:fs/],
  ['a folder without rules', 'src/utils/a.ts', '', /src\/utils is not in tools\/boundaryTable.ts/],
  ['a file without a folder', 'src/a.ts', '', /not in tools\/boundaryTable.ts/],
];

test.each(BANNED)('sees %s', (_name, path, text, reason) => {
  const found = judge(path, text);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(reason);
});

test('text that only looks like an import is none', () => {
  expect(importsOf(parseModule('src/storage/a.ts', "// import '../cli/main.ts'\nconst text = \"import '../cli/main.ts'\";"))).toEqual([]);
});

test('a check that reads no module fails', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-boundaries-'));
  try {
    mkdirSync(join(root, 'src'));
    expect(() => readModules(root, ['src'])).toThrow(/no module was read/);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a file that does not parse fails', () => {
  expect(() => parseModule('src/storage/a.ts', 'import {')).toThrow(/src\/storage\/a.ts does not parse/);
});

test('every rule has its reasons', () => {
  for (const { otherwise, bans = {} } of FOLDER_RULES) {
    for (const reason of [otherwise, ...Object.values(bans)]) expect(reason.length).toBeGreaterThan(20);
  }
});
