import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listAll } from '../storage/index.ts';
import { lastSegment } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/** Deletes local index files of segments that do not stand, one by one: another process may be adding to the folder. */
export async function sweepIndexCache(context: RepositoryContext, signal?: AbortSignal): Promise<void> {
  const standing = new Set<string>();
  for await (const { name } of listAll(context.storage, 'index/', signal ? { signal } : {})) standing.add(lastSegment(name));
  await dropIndexCache(context, (segment) => !standing.has(segment));
}

/** The same for those of which `goes` says so, by the id of the segment. */
export async function dropIndexCache(context: RepositoryContext, goes: (segment: string) => boolean): Promise<void> {
  const directory = join(context.cacheDirectory, 'index');
  let files: string[];
  try {
    files = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const file of files) {
    if (file.endsWith('.idx') && goes(file.slice(0, -'.idx'.length))) await rm(join(directory, file), { force: true });
  }
}
