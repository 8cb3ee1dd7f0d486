import { isHoldfastError, messageOf } from '../../domain/index.ts';
import { forgetCatalog } from '../../recovery/index.ts';
import { isLeft, removeEntity as remove, type EntityRecord, type RemovalResult, type Repository } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { confirmName } from '../confirmName.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { findEntity } from '../findEntity.ts';
import { plural, printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly entity: string;
  readonly alone?: boolean;
  readonly yes?: boolean;
}

/** What `entity remove --json` answers; see docs/guides/command-line.md. Fields are only ever added. */
interface RemovedDocument extends RemovalResult {
  readonly entity: string;
}

export async function removeEntity(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, stderr, signal } = context;
  const repository = await openRepository(context, options);
  const { entity, tag } = await findOrLeft(repository, options.entity, signal);
  await confirmName(context, () => `Removing ${printable(entity.id)} with all its snapshots`, entity.name, options.yes === true);
  const untidy: unknown[] = [];
  const result = await remove(repository, tag, { signal, alone: options.alone === true, onUntidy: (error) => untidy.push(error) });
  await forgetCatalog(repository, entity.id).catch((error: unknown) => untidy.push(error));
  await out.document({ entity: entity.id, ...result } satisfies RemovedDocument);
  await out.line(`Removed ${printable(entity.id)}: ${plural(result.snapshotsRemoved, 'snapshot')}, ${plural(result.packsDeleted, 'pack')}, and its keys.`);
  if (result.blobsKept > 0) await out.line(`${plural(result.blobsKept, 'piece')} of its contents stay, for other entities that hold the same.`);
  await out.line('A backup of it that is made from now on begins anew.');
  for (const error of untidy) {
    stderr.write(`warning: The entity is removed, but not all was tidied up: ${printable(messageOf(error))} What is left are files of this machine's cache, which may be deleted, or a claim that others pass over after a week [entity/untidy]\n`);
  }
  return untidy.length === 0 ? EXIT.done : EXIT.warnings;
}

/** By its id also where its record is gone and the rest is not: a removal was killed. */
async function findOrLeft(repository: Repository, text: string, signal: AbortSignal): Promise<Pick<EntityRecord, 'entity' | 'tag'>> {
  try {
    return await findEntity(repository, text, signal);
  } catch (error) {
    const tag = repository.context.keyring.entityTag(text);
    if (!isHoldfastError(error) || error.code !== 'cli/no-entity' || !(await isLeft(repository, tag, signal))) throw error;
    return { tag, entity: { id: text, service: '', name: text } };
  }
}
