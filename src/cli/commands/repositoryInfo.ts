import type { Entity } from '../../domain/index.ts';
import { lockHere, lockSettingOf, type LockSetting, type Manifest } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { plural, printable, timeText } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

/** What `repo info --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface InfoDocument {
  readonly repository: string;
  readonly location: string;
  /** How snapshots are locked; null: they are not. */
  readonly lock: LockSetting | null;
  readonly entities: readonly EntityInfo[];
}

interface EntityInfo {
  readonly service: string;
  readonly entity: string;
  /** Id of the newest snapshot; null: there is none. */
  readonly newest: string | null;
  readonly finishedAt: string | null;
  /** Until when nobody can delete the newest snapshot or what it needs; null: it is not locked, or not any more. */
  readonly lockedUntil: string | null;
}

export async function repositoryInfo(context: CommandContext, options: RepositoryOptions): Promise<ExitCode> {
  const { out, clock, signal } = context;
  const repository = await openRepository(context, options);
  const entities: EntityInfo[] = [];
  for (const { tag, entity } of await repository.entities(signal)) {
    const newest = (await repository.newest(tag, signal))?.manifest;
    entities.push(entityInfo(entity, newest, newest && await lockHere(repository.context, newest, signal), clock.now()));
  }
  const { location } = repository.context.storage;
  const lock = lockSettingOf(repository.context) ?? null;
  await out.document({ repository: repository.id, location, lock, entities } satisfies InfoDocument);
  await out.line(`Repository ${repository.id} at ${printable(location)}`);
  await out.line(lock ? `  snapshots are locked for ${plural(lock.days, 'day')} after their backup (${lock.mode})` : '  snapshots are not locked');
  if (entities.length === 0) await out.line('  nothing was backed up yet');
  for (const one of entities) await out.line(`  ${printable(one.entity)}: ${stateOf(one, lock !== null)}`);
  return EXIT.done;
}

/** A lock that ends before `now` does not count. */
function entityInfo({ service, id }: Entity, newest: Manifest | undefined, lock: Manifest['lock'], now: number): EntityInfo {
  const until = lock?.until ?? null;
  const locked = until !== null && Date.parse(until) > now;
  return { service, entity: id, newest: newest?.id ?? null, finishedAt: newest?.finishedAt ?? null, lockedUntil: locked ? until : null };
}

function stateOf({ finishedAt, lockedUntil }: EntityInfo, locked: boolean): string {
  if (finishedAt === null) return 'no snapshot';
  const made = `newest snapshot of ${timeText(Date.parse(finishedAt))}`;
  if (!locked) return made;
  return `${made}, ${lockedUntil === null ? 'not locked' : `locked with all that it needs until ${timeText(Date.parse(lockedUntil))}`}`;
}
