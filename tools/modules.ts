import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import type { Expression, Program } from 'oxc-parser';

/** One TypeScript file as the checks see it. */
export interface Module {
  /** From the root, with '/'. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
}

/** A place in a module that names another module. */
export interface Import {
  /** undefined where it is computed and cannot be known. */
  readonly specifier: string | undefined;
  /** 'url': `new URL('./x.ts', import.meta.url)`, how worker entry files are named. */
  readonly kind: 'static' | 'dynamic' | 'url';
  readonly line: number;
}

/** What a check found, for a person: where, and what is wrong with it and why. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Paths of all files under `folders` (those that exist) whose name ends with `suffix`, from `root`, sorted, with '/'. */
export function filesUnder(root: string, folders: readonly string[], suffix: string): string[] {
  const found: string[] = [];
  for (const folder of folders) {
    const absolute = join(root, folder);
    if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) continue;
    for (const entry of readdirSync(absolute, { recursive: true, withFileTypes: true })) {
      const path = relative(root, join(entry.parentPath, entry.name)).split(sep).join('/');
      if (entry.isFile() && path.endsWith(suffix) && !path.includes('node_modules/')) found.push(path);
    }
  }
  return found.toSorted();
}

/**
 * Every module under `folders`, parsed. Throws for a file that does not parse, and when there is none at all:
 * a check that read nothing must not pass.
 */
export function readModules(root: string, folders: readonly string[]): Module[] {
  const modules = filesUnder(root, folders, '.ts').map((path) => parseModule(path, readFileSync(join(root, path), 'utf8')));
  if (modules.length === 0) throw new Error(`no module was read: nothing under ${folders.join(', ')} in ${root}`);
  return modules;
}

export function parseModule(path: string, text: string): Module {
  const { program, errors } = parseSync(path, text);
  const first = errors[0];
  if (first !== undefined) throw new Error(`${path} does not parse: ${first.message}`);
  return { path, text, program };
}

/** Everything that names another module, types included: a border holds for types too. */
export function importsOf(module: Module): Import[] {
  const found: Import[] = [];
  const add = (kind: Import['kind'], node: { start: number }, specifier: string | undefined): void => {
    found.push({ specifier, kind, line: lineAt(module.text, node.start) });
  };
  new Visitor({
    ImportDeclaration: (node) => add('static', node, node.source.value),
    ExportAllDeclaration: (node) => add('static', node, node.source.value),
    ExportNamedDeclaration: (node) => {
      if (node.source) add('static', node, node.source.value);
    },
    TSImportType: (node) => add('static', node, node.source.value),
    ImportExpression: (node) => add('dynamic', node, textOf(node.source)),
    NewExpression: (node) => {
      const [first, second] = node.arguments;
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'URL') return;
      if (first === undefined || second === undefined || !isImportMetaUrl(second)) return;
      const specifier = first.type === 'SpreadElement' ? undefined : textOf(first);
      add('url', node, specifier);
    },
  }).visit(module.program);
  return found;
}

/**
 * Whether a file serves tests alone: tests, helpers of tests that lie beside the code (`testTree.ts`, `listForTest.ts`,
 * `testing/scratch.ts`), and the connectors' conformance suite with its model. (That of storage is a part of the product.)
 */
export function isForTests(path: string): boolean {
  return /(\.test|(^|\/)test[A-Z]\w*|\/testing\/\w+|ForTests?|^src\/connectors\/(conformance|snapshotModel))\.ts$/.test(path);
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Prints what was found, one a line, and sets the exit code. */
export function report(check: string, read: number, what: string, findings: readonly Finding[]): void {
  for (const { path, line, message } of findings) console.error(`${path}:${line}: ${message}`);
  if (findings.length > 0) process.exitCode = 1;
  console.log(`${check}: ${read} ${what} read, ${findings.length} wrong`);
}

function textOf(expression: Expression): string | undefined {
  return expression.type === 'Literal' && typeof expression.value === 'string' ? expression.value : undefined;
}

function isImportMetaUrl(node: { type: string }): boolean {
  const member = node as { type: string; object?: { type: string }; property?: { name?: string } };
  return member.type === 'MemberExpression' && member.object?.type === 'MetaProperty' && member.property?.name === 'url';
}
