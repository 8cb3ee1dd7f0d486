import { HoldfastError } from '../domain/index.ts';
import type { Manifest, Repository } from '../repository/index.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';

const MOST_LISTED = 20;

/** All snapshots, oldest first; `entity` is an id or a name. Unknown: `cli/no-entity`. */
export async function snapshotsOf(repository: Repository, entity: string | undefined, signal: AbortSignal): Promise<Manifest[]> {
  const all = (await repository.snapshots(undefined, signal)).map(({ manifest }) => manifest);
  if (entity === undefined) return all;
  const byId = all.filter((manifest) => manifest.entity.id === entity);
  if (byId.length > 0) return byId;
  const byName = all.filter((manifest) => manifest.entity.name === entity);
  const ids = entityIds(byName);
  if (ids.length > 1) throw ambiguous(`Several entities are called "${entity}"; give the id of one`, ids);
  if (byName.length > 0) return byName;
  const known = entityIds(all);
  const there = known.length === 0 ? 'The repository holds no snapshot yet.' : `There are:\n${listText(known)}`;
  throw new HoldfastError('cli/no-entity', 'input', `The repository holds no snapshot of "${entity}". ${there}`);
}

/**
 * The snapshot that a person means: its id, a unique beginning of it, or 'latest'. Several: `usage/ambiguous-snapshot`
 * (with the list), none: `cli/no-snapshot`.
 */
export async function findSnapshot(
  repository: Repository, text: string, entity: string | undefined, signal: AbortSignal,
): Promise<Manifest> {
  return pickSnapshot(await snapshotsOf(repository, entity, signal), text);
}

export function pickSnapshot(snapshots: readonly Manifest[], text: string): Manifest {
  if (text === 'latest') {
    const ids = entityIds(snapshots);
    if (ids.length > 1) throw ambiguous('The repository holds several entities; say which one with --entity', ids);
    const newest = snapshots.at(-1);
    if (newest) return newest;
    throw new HoldfastError('cli/no-snapshot', 'input', 'The repository holds no snapshot yet. Make one with "holdfast backup".');
  }
  const found = /^[0-9a-f]{1,32}$/i.test(text) ? snapshots.filter(({ id }) => id.startsWith(text.toLowerCase())) : [];
  const [only, ...more] = found;
  if (more.length > 0) {
    throw ambiguous(`Several snapshots begin with "${text}"; give more of the id`, found.map(({ id, entity }) => `${id}  ${entity.id}`));
  }
  if (only) return only;
  throw new HoldfastError('cli/no-snapshot', 'input',
    `There is no snapshot "${text}". "holdfast snapshots" lists those that there are.`, { data: { snapshot: text } });
}

function ambiguous(message: string, candidates: readonly string[]): HoldfastError {
  return usageError('ambiguous-snapshot', `${message}:\n${listText(candidates)}`, { candidates: candidates.join('\n') });
}

function listText(lines: readonly string[]): string {
  const shown = lines.slice(0, MOST_LISTED).map((line) => `  ${printable(line)}`);
  const hidden = lines.length - shown.length;
  return [...shown, ...(hidden > 0 ? [`  and ${hidden} more`] : [])].join('\n');
}

function entityIds(snapshots: readonly Manifest[]): string[] {
  return [...new Set(snapshots.map(({ entity }) => entity.id))].sort();
}
