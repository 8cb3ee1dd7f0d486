import type { ItemRow } from '../../../../domain/index.ts';
import { PAGE_SIZE } from '../../graph/deltaRound.ts';
import { idOf, pages, textOf, type Entry } from '../../graph/pages.ts';
import { parseObject } from '../items/folders.ts';
import { idBehind } from '../items/itemSource.ts';
import type { TargetAccess } from '../subTarget.ts';
import { NOTES_PURPOSE } from './noteContent.ts';
import { listedNote, type NoteMeta } from './noteItem.ts';
import { SHOWN_WORDS, wordsOf } from './noteWords.ts';

interface StandingNote {
  readonly id: string;
  readonly folderId: string;
  readonly change: string;
  readonly created: string;
  readonly words: string;
}

/** The notes at the destination. There are few of them, and they are short: what is held of each is a line. */
export class StandingNotes {
  readonly #access: TargetAccess;
  readonly #byId = new Map<string, StandingNote>();
  /** Those that stand for a row already. */
  readonly #taken = new Set<string>();
  readonly #made = new Set<string>();

  private constructor(access: TargetAccess) {
    this.#access = access;
  }

  /** `access`: with the path of mailbox import and export. */
  static async list(access: TargetAccess, folderIds: readonly string[], signal: AbortSignal): Promise<StandingNotes> {
    const standing = new StandingNotes(access);
    for (const id of folderIds) for await (const note of standing.#in(id, signal)) standing.#byId.set(note.id, note);
    return standing;
  }

  /** The very note of a row. */
  itself({ key }: ItemRow): StandingNote | undefined {
    return this.#byId.get(idBehind('notes/i/', key));
  }

  /** What an earlier restore made of a row in this folder; each note stands for one row. */
  twin(row: ItemRow, folderId: string | undefined): StandingNote | undefined {
    const found = [...this.#byId.values()].find((note) => note.folderId === folderId && !this.#taken.has(note.id) && isTwin(note, row));
    if (found !== undefined) this.#taken.add(found.id);
    return found;
  }

  isSame(note: StandingNote, row: ItemRow): boolean {
    const { words = '' } = parseObject(row.meta) as NoteMeta;
    return note.change === row.change || (words !== '' && words === note.words);
  }

  /** One that was imported although its answer was lost. */
  async findNew(row: ItemRow, folderId: string, signal: AbortSignal): Promise<string | undefined> {
    for await (const note of this.#in(folderId, signal)) if (!this.#byId.has(note.id) && !this.#made.has(note.id) && isTwin(note, row)) return note.id;
    return undefined;
  }

  made(id: string): void {
    this.#made.add(id);
  }

  async *#in(folderId: string, signal: AbortSignal): AsyncGenerator<StandingNote> {
    const { graph, path, budget } = this.#access;
    const address = `${path}/folders/${encodeURIComponent(folderId)}/items?${SHOWN_WORDS}&$top=${PAGE_SIZE}`;
    for await (const entries of pages(graph, address, { purpose: NOTES_PURPOSE, budget, signal })) for (const entry of entries) yield standingNote(entry, folderId);
  }
}

function standingNote(entry: Entry, folderId: string): StandingNote {
  return { id: idOf(entry), folderId, change: listedNote(entry, folderId).change, created: textOf(entry, 'createdDateTime'), words: wordsOf(entry).mark };
}

function isTwin(note: StandingNote, { meta }: ItemRow): boolean {
  const { created, words = '' } = parseObject(meta) as NoteMeta;
  return created !== undefined && created === note.created && (words === '' || words === note.words);
}
