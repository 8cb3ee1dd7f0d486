import { openEntityCatalog } from '../../recovery/index.ts';
import { readIndexSetting, type Manifest } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { snapshotsOf } from '../findSnapshot.ts';
import { countText, plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

/** What one day's snapshots of an entity added, changed and removed; see docs/guides/command-line.md. */
interface DayDocument {
  readonly entity: string;
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly snapshots: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Answers from the entities' local catalogs, which are brought up to date first. */
export async function listDays(context: CommandContext, options: RepositoryOptions & { entity?: string }): Promise<ExitCode> {
  const { out, signal } = context;
  const repository = await openRepository(context, options);
  const days: DayDocument[] = [];
  const known = await snapshotsOf(context, repository, options.entity);
  const setting = await readIndexSetting(repository.context, signal);
  for (const snapshots of Map.groupBy(known.snapshots, ({ tag }) => tag).values()) {
    const [first, last] = [snapshots[0] as Manifest, snapshots.at(-1) as Manifest];
    const catalog = await openEntityCatalog(repository, snapshots, { indexed: setting.of(first.tag), signal });
    try {
      const counted = await catalog.countsPerDay(first.startedAt.slice(0, 10), last.startedAt.slice(0, 10));
      days.push(...counted.map((day) => ({ entity: first.entity.id, ...day })));
    } finally {
      await catalog.close();
    }
  }
  await out.document(days);
  if (days.length === 0) await out.line('No snapshot yet.');
  for (const [entity, ofEntity] of Map.groupBy(days, (day) => day.entity)) {
    await out.line(printable(entity));
    for (const { day, snapshots, added, changed, removed } of ofEntity) {
      await out.line(`  ${day}  ${plural(snapshots, 'snapshot').padStart(12)}  +${countText(added)} ~${countText(changed)} -${countText(removed)}`);
    }
  }
  return known.damaged.length > 0 ? EXIT.warnings : EXIT.done;
}
