import { HoldfastError, type BinaryString, type Progress } from '../domain/index.ts';
import { descriptorOf } from '../connectors/index.ts';
import { isTop, keyOfPath, keysAtPath, searchEntities, SnapshotBrowser } from '../recovery/index.ts';
import type { EntityRecord, Manifest, Repository, Selection } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import { plural, printable } from './formatText.ts';
import { readItems } from './itemsFile.ts';
import { keyStyleOf } from './keyStyle.ts';
import { usageError } from './presentError.ts';
import type { SearchOptions } from './sharedOptions.ts';
import { noItem } from './selectRows.ts';

/** The ways to say what is to be erased: ids, a path, or what a search finds. */
export interface SelectionOptions extends SearchOptions {
  readonly item?: readonly string[];
  readonly itemsFile?: string;
  readonly path?: string;
  readonly query?: string;
}

/** What is to be erased, and whether something may have been missed. */
export interface Chosen {
  readonly selection: Selection;
  readonly whole: boolean;
}

const PAGE = 1000;

/** Nothing, or two ways at once: `usage/no-selection`. Errors: `cli/no-item`; `cli/no-hit`; those of searches. */
export async function chooseItems(
  context: CommandContext, repository: Repository, record: EntityRecord, options: SelectionOptions, progress: Progress,
): Promise<Chosen> {
  const { itemsFile, path } = options;
  const { query, from, to, subject, folder, after, before } = options;
  const searched = [query, from, to, subject, folder, after, before].some((one) => one !== undefined);
  if ([options.item !== undefined, itemsFile !== undefined, path !== undefined, searched].filter(Boolean).length !== 1) {
    throw usageError('no-selection', 'Say what to erase, in one way: --item ID…, --items-file FILE, --path PATH, or a search with --query, --from, --to, --subject, --folder, --after, --before.');
  }
  if (path !== undefined) return { selection: await byPath(repository, record, path, context.signal), whole: true };
  const ids = itemsFile === undefined ? options.item : readItems(itemsFile);
  if (ids !== undefined) return { selection: byIds(record, ids), whole: true };
  return bySearch(context, repository, record, options, progress);
}

/** Ids as `ls --json` shows them. */
function byIds(record: EntityRecord, ids: readonly string[]): Selection {
  const keys = new Set(ids.map((id) => Buffer.from(id, 'base64url').toString('latin1')));
  return { keys, prefixes: prefixesOf(record, keys) };
}

/** The items at that path in any snapshot: names repeat, and a path may have held one thing and later another. */
async function byPath(repository: Repository, record: EntityRecord, path: string, signal: AbortSignal): Promise<Selection> {
  if (isTop(path)) throw usageError('whole-entity', 'The top is everything: "holdfast entity remove" removes an entity.');
  const manifests = (await repository.snapshots(record.tag, signal)).map(({ manifest }) => manifest);
  const keys = keyStyleOf(record) === 'path' ? await keysOfPath(repository, manifests, path, signal) : await keysAtPath(repository, manifests, path, signal);
  if (keys.size === 0) throw noItem(path);
  return { keys, prefixes: prefixesOf(record, keys) };
}

/** Where keys are paths the key is known, also after an erasure that took it out of all snapshots and did not finish. What is shown as U+FFFD may be several. */
async function keysOfPath(repository: Repository, manifests: readonly Manifest[], path: string, signal: AbortSignal): Promise<Set<BinaryString>> {
  const keys = new Set<BinaryString>();
  if (path.includes('\uFFFD')) {
    for (const manifest of manifests) {
      for (const { row } of await new SnapshotBrowser(repository, manifest, { keys: 'path', signal }).find(path)) keys.add(row.key);
    }
  }
  return keys.size > 0 ? keys : keys.add(keyOfPath(path));
}

/** Every item of which some version, at any point in time, is found. All its versions go then. */
async function bySearch(
  context: CommandContext, repository: Repository, record: EntityRecord, options: SelectionOptions, progress: Progress,
): Promise<Chosen> {
  const { query, from, to, subject, folder, after, before } = options;
  const snapshots = (await repository.snapshots(record.tag, context.signal)).map(({ manifest }) => manifest);
  const descriptor = descriptorOf(record.entity.service);
  if (!descriptor) {
    throw new HoldfastError('cli/unknown-service', 'never',
      `${record.entity.id} is of "${record.entity.service}", which this version does not know. Update Holdfast, or name items with --item.`);
  }
  const keys = new Set<BinaryString>();
  let whole = true;
  for (let cursor: string | undefined, first = true, more = true; more; first = false) {
    const answer = await searchEntities(repository, [{ snapshots, search: descriptor.search }], {
      query: { words: query, author: from, recipient: to, name: subject, folder, from: after, until: before },
      limit: PAGE, after: cursor, index: first, signal: context.signal, progress,
    });
    if (first && folder !== undefined && !answer.folder) {
      throw new HoldfastError('cli/no-folder', 'input', `There never was a folder "${folder}" in ${record.entity.id}. "holdfast ls" shows folders.`);
    }
    for (const { row } of answer.hits) keys.add(row.key);
    if (first) whole = tellUnsearched(context, answer.gaps);
    cursor = answer.hits.at(-1)?.cursor;
    more = answer.more && cursor !== undefined;
  }
  if (keys.size === 0) {
    throw new HoldfastError('cli/no-hit', 'input', `Nothing in ${record.entity.id} is found so. Nothing was changed. To finish an erasure that was interrupted, give its --items-file.`);
  }
  return { selection: { keys, prefixes: prefixesOf(record, keys) }, whole };
}

/** What could not be searched may hold what was meant. @returns whether everything was searched. */
function tellUnsearched({ stderr }: CommandContext, gaps: Awaited<ReturnType<typeof searchEntities>>['gaps']): boolean {
  for (const { entity, pending, failed, unindexed, off } of gaps) {
    if (unindexed || off) throw new HoldfastError('search/not-indexed', 'input', `${entity.id} is not indexed, so it cannot be searched. Name items with --item or --path.`);
    if (pending > 0) stderr.write(`warning: ${plural(pending, 'version')} not indexed and so not searched [search/not-indexed]\n`);
    if (failed > 0) stderr.write(`warning: the text of ${plural(failed, 'item')} of ${printable(entity.id)} cannot be searched, only the header [search/unreadable]\n`);
  }
  return gaps.length === 0;
}

/** Where keys are paths, those of all that ever lay below begin with the folder's, also of what no snapshot shows any more. */
function prefixesOf(record: EntityRecord, keys: ReadonlySet<BinaryString>): BinaryString[] {
  return keyStyleOf(record) === 'path' ? [...keys].map((key) => `${key}\0`) : [];
}
