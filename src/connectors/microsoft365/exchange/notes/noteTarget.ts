import { isHoldfastError, type HoldfastError, type ItemRow } from '../../../../domain/index.ts';
import type { ChangeNote, RestoreItem, WriteResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { textOf } from '../../graph/pages.ts';
import { doOnce } from '../restore/doOnce.ts';
import { journaled } from '../restore/journaled.ts';
import { FolderPlaces } from '../restore/folderPlaces.ts';
import type { FolderWriting } from '../restore/partWriting.ts';
import { isDenial } from '../streams/exportPath.ts';
import { isRefusedStream } from '../streams/streamImport.ts';
import { failed, type SubTarget, type TargetAccess, type TargetOptions } from '../subTarget.ts';
import { notesPlan } from './notesPlan.ts';
import { StandingNotes } from './standingNotes.ts';

const WRITE_PURPOSE = 'give notes back (MailboxFolder.ReadWrite.All, MailboxItem.ImportExport.All)';

const folders: FolderWriting = {
  source: notesPlan.folders, purpose: WRITE_PURPOSE, isNested: false,
  wellKnown: (folder) => (textOf(folder, 'wellKnownName') === 'notes' ? 'notes' : ''),
  createPath: (base) => `${base}/folders`,
  path: (base, id) => `${base}/folders/${encodeURIComponent(id)}`,
  fields: ({ type }) => (typeof type === 'string' ? { type } : {}),
};

/** What a restore does about one note. `over`: the note that its stream takes the place of. */
type NoteDecision =
  | { readonly act: 'nothing'; readonly result: 'unchanged' | 'skipped' }
  | { readonly act: 'import'; readonly result: 'written' | 'replaced'; readonly over: { readonly id: string; readonly folderId: string } | undefined };

/** The mailbox as it is reached by mailbox import and export. */
interface Opened {
  readonly places: FolderPlaces;
  readonly standing: StandingNotes;
}

/**
 * Gives sticky notes back as the streams that they are kept as. Nothing can be noted on them: those that are there are known by their id, or by the time at which they were made and their
 * words. Where the tenant does not let notes be reached each is named.
 */
export class NoteTarget implements SubTarget {
  readonly name = notesPlan.name;
  readonly #access: TargetAccess;
  readonly #options: TargetOptions;
  #opened: Promise<Opened | HoldfastError> | undefined;
  readonly #decided = new Map<string, NoteDecision>();

  constructor(access: TargetAccess, options: TargetOptions) {
    this.#access = access;
    this.#options = options;
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    const opened = await this.#open(signal);
    if (isHoldfastError(opened)) return items.map(({ row }) => (row.kind === 'folder' ? { result: 'unchanged' } : unreached(opened)));
    this.#decided.clear();
    for (const { row } of items) if (row.kind === 'folder') opened.places.learn(row);
    return items.map(({ row }): WriteResult => {
      if (row.kind !== 'folder') return { result: this.#decide(row, opened).result };
      if (row.key === `${this.name}/0`) return { result: 'unchanged' };
      const step = opened.places.step(row);
      opened.places.note(step);
      return { result: step.id === undefined ? 'written' : Object.keys(step.changes).length > 0 ? 'replaced' : 'unchanged' };
    });
  }

  #decide(row: ItemRow, { places, standing }: Opened): NoteDecision {
    const known = this.#decided.get(row.key);
    if (known !== undefined) return known;
    const { mode } = this.#options;
    const itself = mode === 'separate' ? undefined : standing.itself(row);
    const there = itself ?? standing.twin(row, places.find(row.parent));
    const isAsItWas = there !== undefined && (there !== itself || standing.isSame(there, row));
    const decision: NoteDecision = there !== undefined && (isAsItWas || mode === 'skip')
      ? { act: 'nothing', result: mode === 'skip' ? 'skipped' : 'unchanged' }
      : { act: 'import', result: there === undefined ? 'written' : 'replaced', over: there };
    this.#decided.set(row.key, decision);
    return decision;
  }

  async folder({ row }: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const opened = await this.#open(signal);
    if (isHoldfastError(opened) || row.key === `${this.name}/0`) return { result: 'unchanged' };
    const { places } = opened;
    places.learn(row);
    const step = places.step(row);
    try {
      if (step.id === undefined) await places.ensure(row.key, signal);
      else if (Object.keys(step.changes).length > 0) await places.mend(step, signal);
      else return { result: 'unchanged' };
      places.note(step);
      return { result: step.id === undefined ? 'written' : 'replaced' };
    } catch (error) {
      return failureOf(error, signal);
    }
  }

  async write({ row }: RestoreItem, bytes: Uint8Array, signal: AbortSignal): Promise<WriteResult> {
    if (row.kind !== notesPlan.kind) return failed('not-a-note', 'Among notes only notes and their folders are given back; this item is neither.');
    const opened = await this.#open(signal);
    if (isHoldfastError(opened)) return unreached(opened);
    const decision = this.#decide(row, opened);
    if (decision.act === 'nothing') return { result: decision.result };
    const { streamImport } = this.#access;
    if (!await streamImport.isGranted(signal)) return failed('no-streams', 'Notes come back as streams alone, and the application may not import them (MailboxItem.ImportExport.All).');
    try {
      const { over } = decision;
      const folderId = over?.folderId ?? await opened.places.ensure(row.parent, signal);
      const act = async (): Promise<string> => await doOnce(this.#access, signal, {
        act: async () => await streamImport.put({ folderId, ...(over === undefined ? {} : { over: over.id }) }, bytes, signal),
        look: async () => (over === undefined ? await opened.standing.findNew(row, folderId, signal) : undefined),
      });
      const note = (): ChangeNote => ({ part: this.name, act: 'note', item: row.name, folderId, over: over?.id ?? null });
      opened.standing.made(await journaled(this.#options.journal, note, act, (id) => ({ id })));
      return { result: decision.result };
    } catch (error) {
      return failureOf(error, signal);
    }
  }

  /** Each note was answered with its id. */
  finish(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #open(signal: AbortSignal): Promise<Opened | HoldfastError> {
    this.#opened ??= this.#load(signal).catch((error: unknown) => {
      if (isHoldfastError(error) && isDenial(error)) return error;
      this.#opened = undefined;
      throw error;
    });
    return await this.#opened;
  }

  async #load(signal: AbortSignal): Promise<Opened> {
    const access = { ...this.#access, path: await this.#access.streamImport.base(signal) };
    const places = await FolderPlaces.load(access, this.#options, folders, signal);
    return { places, standing: await StandingNotes.list(access, places.searched, signal) };
  }
}

function unreached({ message }: HoldfastError): WriteResult {
  return failed('no-streams', `Notes cannot be given back to this mailbox. ${message}`);
}

/** What concerns this item alone; any other error is thrown. */
function failureOf(error: unknown, signal: AbortSignal): WriteResult {
  signal.throwIfAborted();
  if (!isRefusedStream(error) && !hasCode(error, 'unavailable', 'odd-answer')) throw error;
  return failed('refused', error.message);
}
