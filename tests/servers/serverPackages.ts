import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** A server that tests start, as an npm package. They are large, and so stand in a cache of their own in place of the lock file. */
export interface ServerPackage {
  readonly name: string;
  readonly version: string;
  /** What is started or loaded, from the package's own folder on. */
  readonly entry: string;
}

export const AZURITE: ServerPackage = { name: 'azurite', version: '3.37.0', entry: 'dist/src/blob/main.js' };
export const FIREBASE_TOOLS: ServerPackage = { name: 'firebase-tools', version: '15.34.2', entry: 'lib/emulator/storage/index.js' };
export const SERVER_PACKAGES: readonly ServerPackage[] = [AZURITE, FIREBASE_TOOLS];

/** Where the package and what it needs are installed: once for each version, for all checkouts. */
export function folderOf({ name, version }: ServerPackage, environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const given = environment['XDG_CACHE_HOME'];
  const cache = given !== undefined && isAbsolute(given) ? given : join(environment['HOME'] ?? homedir(), '.cache');
  return join(cache, 'holdfast', 'testServers', `${name}-${version}`);
}

export function missingServerPackages(packages: readonly ServerPackage[] = SERVER_PACKAGES): ServerPackage[] {
  return packages.filter((one) => !existsSync(pathOf(one)));
}

/** The file to start. Throws when the package is not installed. */
export function entryOf(one: ServerPackage): string {
  if (existsSync(pathOf(one))) return pathOf(one);
  throw new Error(`${one.name} ${one.version} is not installed; "npm test" installs it, as does "bin/node tools/serverPackages.ts"`);
}

function pathOf(one: ServerPackage): string {
  return join(folderOf(one), 'node_modules', one.name, one.entry);
}
