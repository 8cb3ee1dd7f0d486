import { HoldfastError } from '../../domain/index.ts';
import { descriptorOf } from '../../connectors/index.ts';
import { searchEntities, type EntityHit, type SearchAnswer, type SearchedEntity } from '../../recovery/index.ts';
import type { Manifest } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { pickSnapshot, snapshotsOf, type KnownSnapshots } from '../findSnapshot.ts';
import { plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import { ProgressDisplay } from '../progressDisplay.ts';
import { hitDocument, hitLines } from '../searchDocument.ts';
import type { RepositoryOptions, SearchOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions, SearchOptions {
  readonly query: readonly string[];
  readonly entity?: string;
  readonly snapshot?: string;
  readonly at?: number;
  readonly limit: number;
  readonly continue?: string;
  readonly index: boolean;
}

/** Answers from the entities' local catalogs and search indexes, which are brought up to date first. */
export async function search(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, stderr, clock, signal } = context;
  const query = queryOf(options);
  using display = new ProgressDisplay({ stream: stderr, clock, quiet: options.quiet === true });
  const progress = display.listener;
  const repository = await openRepository(context, options, progress);
  const known = await snapshotsOf(context, repository, options.entity);
  const entities = searchedEntities(known, options);
  const answer = await searchEntities(repository, entities, {
    query, limit: options.limit, after: options.continue, index: options.index, signal, progress,
  });
  display.stop();
  tellUnindexed(answer, entities);
  tellFolder(options, answer, entities);
  const searchableOf = new Map(entities.map((entity) => [entity.snapshots[0]?.entity.id, entity.search]));
  const searchable = (hit: EntityHit) => searchableOf.get(hit.entity.id) as SearchedEntity['search'];
  await out.document(answer.hits.map((hit) => hitDocument(hit, searchable(hit))));
  for (const hit of answer.hits) {
    for (const line of hitLines(hit, searchable(hit), { withEntity: entities.length > 1 })) await out.line(line);
  }
  if (answer.hits.length === 0) await out.line('Nothing found.');
  if (answer.more) stderr.write(`There are more; go on with --continue ${answer.hits.at(-1)?.cursor ?? ''}, or ask for more with --limit.\n`);
  tellGaps(context, answer);
  return answer.gaps.length > 0 || known.damaged.length > 0 ? EXIT.warnings : EXIT.done;
}

function queryOf(options: Options) {
  const { query, from, to, subject, folder, after, before } = options;
  const words = query.length === 0 ? undefined : query.join(' ');
  if ([words, from, to, subject, folder, after, before].every((one) => one === undefined)) {
    throw usageError('no-query', 'Say what to search for: words, or --from, --to, --subject, --folder, --after, --before.');
  }
  return { words, author: from, recipient: to, name: subject, folder, from: after, until: before };
}

/** Those that had a snapshot at the time asked for, where one is. */
function searchedEntities(known: KnownSnapshots, { snapshot, at }: Options): SearchedEntity[] {
  const chosen = snapshot === undefined ? undefined : pickSnapshot(known, snapshot);
  const groups = [...Map.groupBy(known.snapshots, ({ tag }) => tag).values()].filter((group) => !chosen || group[0]?.tag === chosen.tag);
  if (at === undefined) return groups.map((group) => searchedEntity(group, chosen));
  const then = groups.flatMap((group) => {
    const last = group.findLast(({ startedAt }) => Date.parse(startedAt) <= at);
    return last ? [searchedEntity(group, last)] : [];
  });
  if (then.length > 0 || groups.length === 0) return then;
  throw new HoldfastError('cli/no-snapshot', 'input',
    `There was no snapshot yet at ${new Date(at).toISOString()}. "holdfast snapshots" lists those that there are.`);
}

function searchedEntity(snapshots: readonly Manifest[], at: Manifest | undefined): SearchedEntity {
  const { entity } = snapshots[0] as Manifest;
  const descriptor = descriptorOf(entity.service);
  if (descriptor) return { snapshots, search: descriptor.search, at: at?.id };
  throw new HoldfastError('cli/unknown-service', 'never',
    `The snapshots of ${entity.id} are of "${entity.service}", which this version does not know. Update Holdfast, or choose another entity with --entity.`);
}

function tellFolder({ folder }: Options, answer: SearchAnswer, entities: readonly SearchedEntity[]): void {
  if (folder === undefined || answer.folder || entities.length === 0) return;
  throw new HoldfastError('cli/no-folder', 'input',
    `There never was a folder "${folder}". Give its path from the top, names joined by "/"; "holdfast ls" shows them.`, { data: { folder } });
}

/** Nothing found where nothing was looked at would be a lie. */
function tellUnindexed({ gaps }: SearchAnswer, entities: readonly SearchedEntity[]): void {
  const unindexed = gaps.filter((gap) => gap.unindexed);
  if (unindexed.length === 0 || unindexed.length < entities.length) return;
  const names = unindexed.map(({ entity }) => entity.id).slice(0, 5).join(', ');
  const off = unindexed.every((gap) => gap.off);
  const text = off
    ? `Not indexed, so it cannot be searched: ${names}. Indexing is turned off there; "holdfast repo settings --index on" turns it on.`
    : `Not indexed, so it cannot be searched: ${names}. Leave --no-index out to index it now.`;
  throw new HoldfastError('search/not-indexed', 'input', text);
}

function tellGaps({ stderr }: CommandContext, { gaps }: SearchAnswer): void {
  for (const { entity, pending, failed, failedNames, off } of gaps) {
    const name = printable(entity.id);
    if (off) stderr.write(`warning: ${name}: not indexed, because that is turned off, and so not searched [search/not-indexed]\n`);
    if (pending > 0) stderr.write(`warning: ${name}: ${plural(pending, 'version')} not indexed and so not searched [search/not-indexed]\n`);
    if (failed === 0) continue;
    const some = failedNames.map((one) => `"${printable(one)}"`).join(', ');
    stderr.write(`warning: ${name}: the text of ${plural(failed, 'item')} is not indexed, only name and header: ${some} [search/unreadable]\n`);
  }
}
