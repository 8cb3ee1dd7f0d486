import { HoldfastError } from '../domain/index.ts';
import type { EntityRecord, Repository } from '../repository/index.ts';
import { printable } from './formatText.ts';
import { usageError } from './presentError.ts';

const MOST_LISTED = 20;

/** The entity that a person means, by id or name, whether or not it has snapshots. Unknown: `cli/no-entity`; several: `usage/ambiguous-entity`. */
export async function findEntity(repository: Repository, text: string, signal: AbortSignal): Promise<EntityRecord> {
  const all = await repository.entities(signal);
  const byId = all.find(({ entity }) => entity.id === text);
  const byName = all.filter(({ entity }) => entity.name === text);
  const [only] = byName;
  if (byId) return byId;
  const list = (some: readonly EntityRecord[]): string => some.slice(0, MOST_LISTED).map(({ entity }) => `  ${printable(entity.id)}`).join('\n');
  if (byName.length > 1) throw usageError('ambiguous-entity', `Several entities are called "${text}"; give the id of one:\n${list(byName)}`);
  if (only) return only;
  throw new HoldfastError('cli/no-entity', 'input', `The repository holds no "${text}". ${all.length === 0 ? 'It holds no entity yet.' : `There are:\n${list(all)}`}`);
}
