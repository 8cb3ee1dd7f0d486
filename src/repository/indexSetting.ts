import { listAll } from '../storage/index.ts';
import { refuseCopy } from './copyMarker.ts';
import { appendRecord } from './journal.ts';
import { names } from './names.ts';
import { isText, objectOf, orNull, shaped } from './recordShape.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { openJson } from './sealedObject.ts';

/** One decision of a person; the last one of an entity, or of the repository, counts. */
interface SettingRecord {
  readonly madeAt: string;
  /** null: the repository. */
  readonly tag: string | null;
  /** Whether contents and names may be indexed for search; null: of an entity as the repository says, of the repository yes. */
  readonly index: boolean | null;
}

const PREFIX = 'settings/';
const isSetting = objectOf({ tag: orNull(isText), index: (value) => value === null || typeof value === 'boolean' });

/** Which entities may be indexed for search. */
export class IndexSetting {
  /** Where an entity has no word of its own. */
  readonly ofAll: boolean;
  /** Entities that have one, by tag. */
  readonly own: ReadonlyMap<string, boolean>;

  constructor(decisions: ReadonlyMap<string | null, boolean | null>) {
    this.ofAll = decisions.get(null) ?? true;
    this.own = new Map([...decisions].flatMap(([tag, index]) => (tag === null || index === null ? [] : [[tag, index] as const])));
  }

  of(tag: string): boolean {
    return this.own.get(tag) ?? this.ofAll;
  }
}

/** A record that nobody can read is `repository/damaged`: it may be the one that forbids. */
export async function readIndexSetting(context: RepositoryContext, signal?: AbortSignal): Promise<IndexSetting> {
  const { storage, keyring } = context;
  const decisions = new Map<string | null, boolean | null>();
  for await (const { name } of listAll(storage, PREFIX, signal ? { signal } : {})) {
    const bytes = await storage.get(name, signal ? { signal } : {});
    const { tag, index } = shaped<SettingRecord>(name, openJson(name, bytes, keyring.metaOf), isSetting);
    decisions.set(tag, index);
  }
  return new IndexSetting(decisions);
}

/** `tag` null: for all entities without a decision of their own. `index` null: takes the decision back. Errors: `repository/is-copy`. */
export async function writeIndexSetting(
  context: RepositoryContext, decision: { readonly tag: string | null; readonly index: boolean | null }, signal?: AbortSignal,
): Promise<void> {
  await refuseCopy(context, signal);
  const record: SettingRecord = { madeAt: new Date(context.clock.now()).toISOString(), ...decision };
  await appendRecord(context, PREFIX, names.setting, record, signal);
}
