import { constants } from 'node:fs';
import { chmod, cp, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { PostgresPackage } from './postgresPackage.ts';

/**
 * Copies the program into `folder`, once for each version, and gives its place. A copy, since it then can be run by
 * another user wherever the checkout lies, has the links that packages of npm lose, and goes on running while `npm ci`
 * replaces the package.
 */
export async function installPostgres({ native, links, version }: PostgresPackage, folder: string): Promise<string> {
  const place = join(folder, `program-${version}`);
  if (await exists(place)) return place;
  const made = await mkdtemp(join(folder, 'new-program-'));
  try {
    await cp(native, made, { recursive: true, mode: constants.COPYFILE_FICLONE, filter: async (path) => !await isLink(path, native, links) });
    for (const { at, to } of links) await symlink(relative(dirname(at), to), join(made, at));
    await chmod(made, 0o755);
    for (const name of await readdir(join(made, 'bin'))) await chmod(join(made, 'bin', name), 0o755);
    await renameUnlessThere(made, place);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return place;
}

/** Whoever comes first wins; what stands there then is whole. */
export async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** The package's own install script may have made the links already. */
async function isLink(path: string, native: string, links: PostgresPackage['links']): Promise<boolean> {
  const inside = relative(native, path);
  return links.some(({ at }) => at === inside);
}
