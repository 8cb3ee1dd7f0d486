/** Checks who imports whom against the table in boundaryTable.ts. Run: `bin/node tools/boundaries.ts` */
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { FOLDER_RULES, TEST_MAY } from './boundaryTable.ts';
import type { FolderRule } from './boundaryTable.ts';
import { importsOf, isForTests, readModules, report } from './modules.ts';
import type { Finding, Import, Module } from './modules.ts';

const FOLDERS = ['src', 'simulators', 'tests', 'tools'];

/** `dependencies`: packages that production code may import. */
export function checkBoundaries(modules: readonly Module[], dependencies: ReadonlySet<string>): Finding[] {
  const findings = unknownFolders(modules);
  for (const module of modules) {
    const rule = ruleOf(module.path);
    if (rule === undefined) continue;
    for (const used of importsOf(module)) {
      const message = judge(module.path, rule, used, dependencies);
      if (message !== undefined) findings.push({ path: module.path, line: used.line, message });
    }
  }
  return findings;
}

function unknownFolders(modules: readonly Module[]): Finding[] {
  const findings: Finding[] = [];
  const told = new Set<string>();
  for (const { path } of modules) {
    const folder = path.split('/').slice(0, 2).join('/');
    if (ruleOf(path) !== undefined || told.has(folder)) continue;
    told.add(folder);
    findings.push({ path, line: 1, message: `${folder} is not in tools/boundaryTable.ts: say there what it may import, and why not more` });
  }
  return findings;
}

/** The sentence that says what is wrong, or undefined. */
function judge(path: string, rule: FolderRule, used: Import, dependencies: ReadonlySet<string>): string | undefined {
  const { specifier } = used;
  const production = path.startsWith('src/') && !isForTests(path);
  if (specifier === undefined) {
    return production ? 'imports a module whose name is computed: nothing can tell what it reaches' : undefined;
  }
  if (isBuiltin(specifier)) return judgeBuiltin(rule, specifier, production);
  if (!/^\.{1,2}\//.test(specifier)) {
    return used.kind !== 'url' && production ? judgePackage(specifier, dependencies) : undefined;
  }
  // A file to start as a worker, or only data; tests and generators name files anywhere.
  if (used.kind === 'url' && !(production && specifier.endsWith('.ts'))) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  const wrong = production ? judgeProduction(path, target, used.kind) : undefined;
  return wrong ?? judgeTarget(path, rule, target);
}

function judgeProduction(path: string, target: string, kind: Import['kind']): string | undefined {
  if (kind === 'url' && !target.startsWith(`${ownFolder(path)}/`)) {
    return `names ${target} as a file to run: a worker's entry lies in the folder that starts it`;
  }
  const forTests = isForTests(target) || target.startsWith('tests/') || target.startsWith('tools/');
  return forTests ? `imports ${target}: production code never depends on tests or tools` : undefined;
}

function judgeTarget(path: string, rule: FolderRule, target: string): string | undefined {
  if (isOwn(path, target)) return undefined;
  const folder = ownFolder(target);
  const may = isForTests(path) && !path.startsWith('simulators/') ? TEST_MAY : rule.may;
  if (may.some((allowed) => covers(allowed, target))) return undefined;
  if (may.some((allowed) => covers(allowed, `${folder}/index.ts`))) {
    return `imports ${target}: only ${folder}/index.ts is its door, so that the inside can change`;
  }
  const banned = Object.entries(rule.bans ?? {}).find(([name]) => folder === name || folder.startsWith(`${name}/`));
  return `imports ${target}: ${banned?.[1] ?? rule.otherwise}`;
}

/** Inside of one folder everything may import everything; a connector's tests run the contract's suite, which lies above them, too. */
function isOwn(path: string, target: string): boolean {
  const [own, folder] = [ownFolder(path), ownFolder(target)];
  return own === folder || (folder === 'src/connectors' && posix.dirname(own) === folder && isForTests(path) && isForTests(target));
}

function judgeBuiltin(rule: FolderRule, specifier: string, production: boolean): string | undefined {
  const name = specifier.replace(/^node:/, '');
  if (!specifier.startsWith('node:')) return `imports ${specifier}: write node:${name}, which no package can stand in for`;
  const ban = rule.noBuiltins;
  if (!production || ban === undefined) return undefined;
  return ban.names.includes('*') || ban.names.includes(name) ? `imports ${specifier}: ${ban.because}` : undefined;
}

function judgePackage(specifier: string, dependencies: ReadonlySet<string>): string | undefined {
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  if (dependencies.has(name)) return undefined;
  return `imports the package ${name}: it is not among the dependencies, so an installation without development packages lacks it`;
}

/** Folders of tests with a rule of their own. */
const FREE_TESTS = ['tests/bench', 'tests/fuzz'];

/** Folders within folders of src whose inside is their own, besides those of the connectors. */
const INNER = ['src/api/contract'];

/** The folder whose inside is free for `path`: src/<folder>, src/connectors/<name>, {@link INNER}, tests, those of {@link FREE_TESTS}, tools. */
function ownFolder(path: string): string {
  const parts = path.split('/');
  if (parts[0] === 'simulators') return parts.slice(0, Math.min(2, parts.length - 1)).join('/');
  if (parts[0] !== 'src') return FREE_TESTS.find((folder) => path.startsWith(`${folder}/`)) ?? parts[0] ?? path;
  const inner = INNER.find((folder) => path.startsWith(`${folder}/`));
  if (inner !== undefined) return inner;
  const depth = parts[1] === 'connectors' && parts.length > 3 ? 3 : 2;
  return parts.slice(0, Math.min(depth, parts.length - 1)).join('/');
}

/** Whether `allowed` (a folder, meaning its door, or a file) is `target`. tests and tools have no door. */
function covers(allowed: string, target: string): boolean {
  if (allowed === '*') return true;
  if (allowed === 'tests' || allowed === 'tools') return target.startsWith(`${allowed}/`);
  if (allowed.endsWith('.ts')) return target === allowed;
  const folder = posix.dirname(target);
  const same = allowed.endsWith('/*') ? posix.dirname(folder) === allowed.slice(0, -2) : folder === allowed;
  return same && isDoor(target);
}

function isDoor(path: string): boolean {
  return posix.basename(path) === 'index.ts' || path === 'src/connectors/contract.ts';
}

function ruleOf(path: string): FolderRule | undefined {
  const own = ownFolder(path);
  const exact = FOLDER_RULES.find(({ folder }) => folder === own);
  return exact ?? FOLDER_RULES.find(({ folder }) => folder.endsWith('/*') && posix.dirname(own) === folder.slice(0, -2));
}

function declaredDependencies(root: string): Set<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
  return new Set(Object.keys(manifest.dependencies ?? {}));
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  if (!existsSync(join(root, 'src'))) throw new Error(`no src in ${root}`);
  const modules = readModules(root, FOLDERS);
  report('boundaries', modules.length, 'modules', checkBoundaries(modules, declaredDependencies(root)));
}
