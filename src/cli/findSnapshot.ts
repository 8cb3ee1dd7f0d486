import { HoldfastError, type Entity } from '../domain/index.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';

const MOST_LISTED = 20;

/** Of a repository or one entity, oldest first. */
export interface KnownSnapshots {
  readonly snapshots: readonly Manifest[];
  /** Those that cannot be read, and why. */
  readonly damaged: readonly DamagedSnapshot[];
}

interface DamagedSnapshot {
  readonly tag: string;
  readonly id: string;
  readonly error: HoldfastError;
}

/**
 * All snapshots; `entity` is an id or a name. Unknown: `cli/no-entity`. Damaged ones do not stand in the way of the
 * others: a warning names each.
 */
export async function snapshotsOf(context: CommandContext, repository: Repository, entity: string | undefined): Promise<KnownSnapshots> {
  const damaged: DamagedSnapshot[] = [];
  const stored = await repository.snapshots(undefined, context.signal, (error) => damaged.push(damagedSnapshot(error)));
  for (const { error } of damaged) context.stderr.write(`warning: ${printable(error.message)} [${error.code}]\n`);
  const all = stored.map(({ manifest }) => manifest);
  if (entity === undefined) return { snapshots: all, damaged };
  const snapshots = ofEntity(all, entity, 'snapshot');
  const tags = new Set(snapshots.map(({ tag }) => tag));
  return { snapshots, damaged: damaged.filter(({ tag }) => tags.has(tag)) };
}

/** Its name says which it is: `snapshots/<tag>/<id>`, `seals/<tag>/<id>`. */
function damagedSnapshot(error: HoldfastError): DamagedSnapshot {
  const [, tag = '', id = ''] = String(error.data['object'] ?? '').split('/');
  return { tag, id, error };
}

/** Those of the entity that a person means by its id or its name. `what` they are: a word for the error `cli/no-entity`. */
export function ofEntity<T extends { readonly entity: Entity }>(all: readonly T[], entity: string, what: string): readonly T[] {
  const byId = all.filter((one) => one.entity.id === entity);
  if (byId.length > 0) return byId;
  const byName = all.filter((one) => one.entity.name === entity);
  const ids = entityIds(byName);
  if (ids.length > 1) throw ambiguous(`Several entities are called "${entity}"; give the id of one`, ids);
  if (byName.length > 0) return byName;
  const known = entityIds(all);
  const there = known.length === 0 ? `The repository holds no ${what} yet.` : `There are:\n${listText(known)}`;
  throw new HoldfastError('cli/no-entity', 'input', `The repository holds no ${what} of "${entity}". ${there}`);
}

/**
 * The snapshot that a person means: its id, a unique beginning of it, or 'latest'. Several: `usage/ambiguous-snapshot`
 * (with the list), none: `cli/no-snapshot`; one that is damaged: what is wrong with it.
 */
export async function findSnapshot(
  context: CommandContext, repository: Repository, text: string, entity: string | undefined,
): Promise<Manifest> {
  return pickSnapshot(await snapshotsOf(context, repository, entity), text);
}

export function pickSnapshot({ snapshots, damaged }: KnownSnapshots, text: string): Manifest {
  if (text === 'latest') {
    const ids = entityIds(snapshots);
    if (ids.length > 1) throw ambiguous('The repository holds several entities; say which one with --entity', ids);
    const newest = snapshots.at(-1);
    const newer = damaged.find(({ tag, id }) => newest === undefined || (tag === newest.tag && id > newest.id));
    // An older state that passes for the latest would do harm; whoever wants it names it.
    if (newer) throw latestDamaged(newer, newest);
    if (newest) return newest;
    throw new HoldfastError('cli/no-snapshot', 'input', 'The repository holds no snapshot yet. Make one with "holdfast backup".');
  }
  const begins = ({ id }: { readonly id: string }): boolean => /^[0-9a-f]{1,32}$/i.test(text) && id.startsWith(text.toLowerCase());
  const found = [...snapshots.filter(begins), ...damaged.filter(begins)];
  const [only, ...more] = found;
  if (more.length > 0) {
    throw ambiguous(`Several snapshots begin with "${text}"; give more of the id`,
      found.map((one) => `${one.id}  ${'entity' in one ? one.entity.id : 'damaged'}`));
  }
  if (only && 'error' in only) throw only.error;
  if (only) return only;
  throw new HoldfastError('cli/no-snapshot', 'input',
    `There is no snapshot "${text}". "holdfast snapshots" lists those that there are.`, { data: { snapshot: text } });
}

function latestDamaged({ error }: DamagedSnapshot, newest: Manifest | undefined): HoldfastError {
  const before = newest ? `The one before is ${newest.id}. ` : '';
  return new HoldfastError(error.code, 'never', `The latest snapshot cannot be read. ${before}${error.message}`, { data: error.data, cause: error });
}

function ambiguous(message: string, candidates: readonly string[]): HoldfastError {
  return usageError('ambiguous-snapshot', `${message}:\n${listText(candidates)}`, { candidates: candidates.join('\n') });
}

function listText(lines: readonly string[]): string {
  const shown = lines.slice(0, MOST_LISTED).map((line) => `  ${printable(line)}`);
  const hidden = lines.length - shown.length;
  return [...shown, ...(hidden > 0 ? [`  and ${hidden} more`] : [])].join('\n');
}

function entityIds(snapshots: readonly { readonly entity: Entity }[]): string[] {
  return [...new Set(snapshots.map(({ entity }) => entity.id))].sort();
}
