import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Entity } from '../../domain/index.ts';
import { HoldfastError } from '../../domain/index.ts';
import type { Clock } from '../../runtime/index.ts';
import { systemClock } from '../../runtime/index.ts';
import type { SourceSession } from '../contract.ts';
import { descriptor } from './descriptor.ts';
import { systemCode } from './entryError.ts';
import { walkTree } from './walkTree.ts';

/**
 * A reading session of the directory tree at `path` (a symbolic link there is followed, none below it is).
 * @throws HoldfastError `folder/not-found`, `folder/not-a-directory`, `folder/unreadable`, all class input.
 */
export async function openSource(options: { path: string; clock?: Clock }): Promise<SourceSession> {
  const root = resolve(options.path);
  const clock = options.clock ?? systemClock;
  await mustBeDirectory(root);
  const entity: Entity = { id: `folder:${root}`, service: descriptor.service, name: basename(root) || root };
  return {
    entity,
    enumerate: (context) => walkTree(Buffer.from(root, 'utf8').toString('latin1'), clock, context.signal),
    cursor: () => undefined,
    fetch: () => {
      throw new HoldfastError('folder/no-fetch', 'never', 'The contents of a folder are read from their paths.');
    },
    close: async () => {},
  };
}

async function mustBeDirectory(root: string): Promise<void> {
  try {
    if ((await stat(root)).isDirectory()) return;
  } catch (cause) {
    const missing = systemCode(cause) === 'ENOENT';
    throw new HoldfastError(
      missing ? 'folder/not-found' : 'folder/unreadable',
      'input',
      missing
        ? `There is no folder ${root}; check the path, and that its disk is mounted.`
        : `The folder ${root} cannot be read; give the user that runs the backup the right to read it.`,
      { data: { path: root }, cause },
    );
  }
  const message = `${root} is not a folder; name the folder that holds it.`;
  throw new HoldfastError('folder/not-a-directory', 'input', message, { data: { path: root } });
}
