/**
 * Checks the lock file: no registry is named in it, and every optional package for another platform is there, without which
 * `npm ci` refuses the lock. npm leaves those out that the registry at hand does not have. `--complete` adds them.
 * Run: `bin/node tools/lock.ts [--complete]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { report } from './modules.ts';
import type { Finding } from './modules.ts';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Record<string, Locked>;
}

const PLATFORM = /[-/](android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/;

export function checkLock(lock: Lock): string[] {
  const wrong = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)
    .map(([path, { resolved }]) => `${path} names where it was fetched from: ${resolved}`);
  for (const { name, by } of missingOptionals(lock)) wrong.push(`${name}, which ${by} names, is missing: run "bin/node tools/lock.ts --complete"`);
  for (const path of Object.keys(lock.packages)) {
    const { integrity, optional, os } = lock.packages[path] ?? {};
    if (path !== '' && integrity === undefined && !(optional === true && os !== undefined)) wrong.push(`${path} has no integrity`);
  }
  return wrong;
}

/**
 * Adds each missing package as far as its name tells what it is for. It gets no integrity, since the package was not seen; npm skips it
 * on every platform but its own.
 */
export function completeLock(lock: Lock): Lock {
  const packages = { ...lock.packages };
  for (const { name, version, dev } of missingOptionals(lock)) {
    const [, os, cpu, abi] = PLATFORM.exec(name) ?? [];
    if (os === undefined || cpu === undefined) throw new Error(`${name}: the name tells no platform; add it to package-lock.json by hand`);
    const libc = abi?.startsWith('musl') ? 'musl' : abi?.startsWith('gnu') ? 'glibc' : undefined;
    packages[`node_modules/${name}`] = {
      version, cpu: [cpu], ...(dev ? { dev } : {}), ...(libc === undefined ? {} : { libc: [libc] }), optional: true, os: [os],
    };
  }
  const sorted = Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

function missingOptionals({ packages }: Lock): { name: string; by: string; version: string; dev: boolean }[] {
  return Object.entries(packages).flatMap(([by, { optionalDependencies = {}, dev = false }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => packages[`node_modules/${name}`] === undefined && packages[`${by}/node_modules/${name}`] === undefined)
      .map(([name, version]) => ({ name, by: by === '' ? 'package.json' : by, version, dev })));
}

if (import.meta.main) {
  const path = join(dirname(import.meta.dirname), 'package-lock.json');
  let lock = JSON.parse(readFileSync(path, 'utf8')) as Lock;
  if (process.argv.includes('--complete')) {
    lock = completeLock(lock);
    writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  }
  const findings: Finding[] = checkLock(lock).map((message) => ({ path: 'package-lock.json', line: 1, message }));
  report('lock', Object.keys(lock.packages).length, 'packages', findings);
}
