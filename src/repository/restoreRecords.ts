import { isHoldfastError, type HoldfastError } from '../domain/index.ts';
import { lastSegment, names } from './names.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { journalRecord, undoRecord, type JournalRecord, type RestoreBegin } from './restoreShapes.ts';
import { namesUnder, streamsUnder } from './roots.ts';
import { isUnreadable, openJson } from './sealedObject.ts';

/** A restore that has a journal. */
export interface KnownRestore {
  readonly id: string;
  /** Of the destination. */
  readonly tag: string;
  readonly begin: RestoreBegin;
  /** False: it was stopped, or still runs. */
  readonly ended: boolean;
  /** `no`; `begun`: by a run that did not end, or that had to leave something; `yes`: nothing is left of it. */
  readonly undone: 'no' | 'begun' | 'yes';
}

/** A change that a restore noted. */
export interface StoredChange {
  readonly number: number;
  readonly note: { readonly item: string };
  /** undefined: nobody knows how far it came. */
  readonly outcome: Readonly<Record<string, unknown>> | undefined;
}

/** All restores with a journal, oldest first. One that cannot be read is told to `onDamage`, else thrown. */
export async function listRestores({ context }: Repository, signal?: AbortSignal, onDamage?: (error: HoldfastError) => void): Promise<KnownRestore[]> {
  const found: KnownRestore[] = [];
  for (const { tag, id } of await journalNames(context, signal)) {
    try {
      const restore = await readRestore(context, tag, id, signal);
      if (restore) found.push(restore);
    } catch (error) {
      if (!onDamage || !isHoldfastError(error) || !isUnreadable(error)) throw error;
      onDamage(error);
    }
  }
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

export async function journalNames(context: RepositoryContext, signal?: AbortSignal): Promise<{ readonly tag: string; readonly id: string }[]> {
  const found: { tag: string; id: string }[] = [];
  for (const tag of await streamsUnder(context, names.journals(), signal)) {
    for (const id of await streamsUnder(context, names.journals(tag), signal)) found.push({ tag, id });
  }
  return found;
}

/** undefined where it is gone meanwhile. */
async function readRestore(context: RepositoryContext, tag: string, id: string, signal?: AbortSignal): Promise<KnownRestore | undefined> {
  const begin = await readBegin(context, tag, id, signal);
  if (!begin) return undefined;
  const { records, undos } = await recordNames(context, tag, id, signal);
  const last = records.at(-1);
  const ended = last !== undefined && (await readRecord(context, last, signal)).ended === true;
  return { id, tag, begin, ended, undone: undos.length === 0 ? 'no' : await isWhole(context, undos, signal) ? 'yes' : 'begun' };
}

/** The first record; undefined where there is none. */
export async function readBegin(context: RepositoryContext, tag: string, id: string, signal?: AbortSignal): Promise<RestoreBegin | undefined> {
  try {
    return (await readRecord(context, names.journal(tag, id, 0), signal)).begin;
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    return undefined;
  }
}

/** The last record of some run says so. */
async function isWhole(context: RepositoryContext, undos: readonly string[], signal?: AbortSignal): Promise<boolean> {
  for (const [place, name] of undos.entries()) {
    const isLast = undos[place + 1]?.startsWith(name.slice(0, -10)) !== true;
    if (isLast && (await readUndo(context, name, signal)).whole === true) return true;
  }
  return false;
}

export async function recordNames(context: RepositoryContext, tag: string, id: string, signal?: AbortSignal): Promise<{ readonly records: readonly string[]; readonly undos: readonly string[] }> {
  const all = [...await namesUnder(context, names.journals(tag, id), signal)].toSorted();
  const isUndo = (name: string): boolean => lastSegment(name).startsWith('undo-');
  return { records: all.filter((name) => !isUndo(name)), undos: all.filter(isUndo) };
}

/** The changes of a restore, latest first. Memory holds one record, and the outcomes of which the notes come next. */
export async function* journaledChanges(context: RepositoryContext, records: readonly string[], signal?: AbortSignal): AsyncGenerator<readonly StoredChange[]> {
  const outcomes = new Map<number, Readonly<Record<string, unknown>>>();
  for (const name of records.toReversed()) {
    const { intends = [], did = [] } = await readRecord(context, name, signal);
    for (const [number, outcome] of did) outcomes.set(number, outcome);
    const changes = intends.toReversed().map(([number, note]): StoredChange => ({ number, note, outcome: outcomes.get(number) }));
    for (const { number } of changes) outcomes.delete(number);
    if (changes.length > 0) yield changes;
  }
}

async function readRecord({ storage, keyring }: RepositoryContext, name: string, signal?: AbortSignal): Promise<JournalRecord> {
  return journalRecord(name, openJson(name, await storage.get(name, signal ? { signal } : {}), keyring.metaOf));
}

export async function readUndo({ storage, keyring }: RepositoryContext, name: string, signal?: AbortSignal): Promise<ReturnType<typeof undoRecord>> {
  return undoRecord(name, openJson(name, await storage.get(name, signal ? { signal } : {}), keyring.metaOf));
}
