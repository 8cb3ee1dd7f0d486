import { forgetWords } from '../../recovery/index.ts';
import { readIndexSetting, writeIndexSetting, type EntityRecord, type IndexSetting, type Repository } from '../../repository/index.ts';
import type { CommandContext } from '../commandContext.ts';
import { EXIT, type ExitCode } from '../exitCodes.ts';
import { ofEntity } from '../findSnapshot.ts';
import { printable } from '../formatText.ts';
import { openRepository } from '../openRepository.ts';
import { usageError } from '../presentError.ts';
import type { RepositoryOptions } from '../sharedOptions.ts';

interface Options extends RepositoryOptions {
  readonly entity?: string;
  readonly index?: 'on' | 'off' | 'default';
}

/** What is set in a repository; see docs/guides/command-line.md. Fields are only ever added. */
interface SettingsDocument {
  readonly index: 'on' | 'off';
  readonly entities: readonly { readonly entity: string; readonly index: 'on' | 'off'; readonly own: boolean }[];
}

/** Tells what is set, after changing it where that is asked for. */
export async function repositorySettings(context: CommandContext, options: Options): Promise<ExitCode> {
  const { out, signal } = context;
  const { entity, index } = options;
  if (entity !== undefined && index === undefined) throw usageError('no-setting', 'Say what is to be set for the entity: --index on, off or default.');
  const repository = await openRepository(context, options);
  const records = await repository.entities(signal);
  const [record] = entity === undefined ? [] : ofEntity(records, entity, 'backup');
  if (index !== undefined) {
    await writeIndexSetting(repository.context, { tag: record?.tag ?? null, index: index === 'default' ? null : index === 'on' }, signal);
  }
  const setting = await readIndexSetting(repository.context, signal);
  if (index !== undefined) await forgetUnindexed(repository, record ? [record] : records, setting, signal);
  const found = documentOf(records, setting);
  await out.document(found);
  await out.line(`search index: ${found.index}`);
  for (const one of found.entities.filter(({ own }) => own)) await out.line(`  ${printable(one.entity)}: ${one.index}`);
  return EXIT.done;
}

/** What this machine has in its indexes of what may not be indexed goes at once; other machines notice at their next use. */
async function forgetUnindexed(repository: Repository, records: readonly EntityRecord[], setting: IndexSetting, signal: AbortSignal): Promise<void> {
  await forgetWords(repository, records.filter(({ tag }) => !setting.of(tag)).map((record) => record.entity), signal);
}

function documentOf(records: readonly EntityRecord[], setting: IndexSetting): SettingsDocument {
  const word = (index: boolean): 'on' | 'off' => (index ? 'on' : 'off');
  const entities = records.map(({ entity, tag }) => ({ entity: entity.id, index: word(setting.of(tag)), own: setting.own.has(tag) }));
  return { index: word(setting.ofAll), entities: entities.toSorted((a, b) => (a.entity < b.entity ? -1 : 1)) };
}
