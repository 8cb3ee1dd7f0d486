import { isHoldfastError } from '../../domain/index.ts';
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
  const { out, signal } = context;
  const repository = await openRepository(context, options);
  const { entity, tag } = await findOrLeft(repository, options.entity, signal);
  await confirmName(context, () => `Removing ${printable(entity.id)} with all its snapshots`, entity.name, options.yes === true);
  const result = await remove(repository, tag, { signal, alone: options.alone === true });
  await forgetCatalog(repository, entity.id);
  await out.document({ entity: entity.id, ...result } satisfies RemovedDocument);
  await out.line(`Removed ${printable(entity.id)}: ${plural(result.snapshotsRemoved, 'snapshot')}, ${plural(result.packsDeleted, 'pack')}, and its keys.`);
  if (result.blobsKept > 0) await out.line(`${plural(result.blobsKept, 'piece')} of its contents stay, for other entities that hold the same.`);
  await out.line('A backup of it that is made from now on begins anew.');
  return EXIT.done;
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
