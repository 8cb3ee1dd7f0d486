import { isHoldfastError } from '../domain/index.ts';
import { inLanes } from './inLanes.ts';
import { names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { journalNames, readBegin } from './restoreRecords.ts';
import { namesUnder } from './roots.ts';
import { isUnreadable } from './sealedObject.ts';

const LANES = 8;

/** Of which restore a journal is: tags of destination and source, and the snapshot that was given back. The last two are '' where its first record cannot be read. */
interface JournalOf {
  readonly tag: string;
  readonly source: string;
  readonly snapshot: string;
}

/** Deletes journals of restores. The first record goes last: until then it is known of which restore the others are. */
export async function dropJournals(context: RepositoryContext, goes: (journal: JournalOf) => boolean | Promise<boolean>, signal?: AbortSignal): Promise<void> {
  for (const { tag, id } of await journalNames(context, signal)) {
    const { source, snapshot } = await describe(context, tag, id, signal);
    if (!(await goes({ tag, source, snapshot }))) continue;
    const first = names.journal(tag, id, 0);
    const others = [...await namesUnder(context, names.journals(tag, id), signal)].filter((name) => name !== first);
    await inLanes(others, LANES, async (name) => await context.storage.delete(name, signal ? { signal } : {}));
    await context.storage.delete(first, signal ? { signal } : {});
  }
}

async function describe(context: RepositoryContext, tag: string, id: string, signal?: AbortSignal): Promise<{ readonly source: string; readonly snapshot: string }> {
  try {
    const begin = await readBegin(context, tag, id, signal);
    return { source: begin?.source.tag ?? '', snapshot: begin?.snapshot ?? '' };
  } catch (error) {
    if (!isHoldfastError(error) || !isUnreadable(error)) throw error;
    return { source: '', snapshot: '' };
  }
}
