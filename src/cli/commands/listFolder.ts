import { isTop, SnapshotBrowser, type Placed } from '../../recovery/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { findSnapshot } from '../findSnapshot.ts';
import { itemDocument, itemLine } from '../itemDocument.ts';
import { keyStyleOf } from '../keyStyle.ts';
import { openRepository } from '../openRepository.ts';
import { noItem } from '../selectRows.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly snapshot: string;
  readonly path?: string;
  readonly recursive?: boolean;
  readonly entity?: string;
}

export async function listFolder(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, signal } = context;
  const repository = await openRepository(context, options);
  const manifest = await findSnapshot(context, repository, options.snapshot, options.entity);
  const browser = new SnapshotBrowser(repository, manifest, { keys: keyStyleOf(manifest), signal });
  await out.list(itemsAt(browser, options), { json: itemDocument, line: itemLine });
  return EXIT.done;
}

/** What a folder holds; an item that is none stands for itself. */
async function* itemsAt(browser: SnapshotBrowser, { path = '', recursive = false }: Options): AsyncGenerator<Placed[]> {
  if (isTop(path)) {
    yield* recursive ? browser.below() : browser.children();
    return;
  }
  const found = await browser.find(path);
  if (found.length === 0) throw noItem(path);
  for (const item of found) {
    if (item.row.kind !== 'folder') yield [item];
    else yield* recursive ? browser.below(item.row) : browser.children(item.row);
  }
}
