import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RepositoryContext } from './repositoryContext.ts';

/** Deletes local index files by the id of their segment, one by one: another process may be adding to the folder. */
export async function sweepIndexCache(context: RepositoryContext, keep: (segment: string) => boolean): Promise<void> {
  const directory = join(context.cacheDirectory, 'index');
  let files: string[];
  try {
    files = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const file of files) {
    if (file.endsWith('.idx') && !keep(file.slice(0, -'.idx'.length))) await rm(join(directory, file), { force: true });
  }
}
