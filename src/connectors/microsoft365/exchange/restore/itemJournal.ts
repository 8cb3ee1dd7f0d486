import type { ItemRow } from '../../../../domain/index.ts';
import type { ChangeJournal } from '../../../contract.ts';
import type { TargetOptions } from '../subTarget.ts';
import type { Entry } from '../../graph/pages.ts';
import { parseObject } from '../items/folders.ts';
import { idBehind } from '../items/itemSource.ts';
import type { ItemDecision, StandingItem } from './itemDecision.ts';
import { fieldMarks, type ItemNote, type ItemOutcome } from './itemNotes.ts';
import { formatOrigin } from './origin.ts';
import type { ItemWriting } from './partWriting.ts';
import { withTag } from './shapes.ts';

/** Writes the changes of one part down. Without a journal it does nothing. */
export class ItemJournal {
  readonly #journal: ChangeJournal | undefined;
  readonly #tag: string | undefined;
  readonly #writing: ItemWriting;
  /** Numbers of what was noted, by key. */
  readonly #noted = new Map<string, number>();

  constructor({ journal, tag }: Pick<TargetOptions, 'journal' | 'tag'>, writing: ItemWriting) {
    this.#journal = journal;
    this.#tag = tag;
    this.#writing = writing;
  }

  get isKept(): boolean { return this.#journal !== undefined; }

  /** What a batch will make, at once; what it will change is noted one by one, when it is known how it is. */
  async intendMakes(rows: readonly ItemRow[], decided: ReadonlyMap<string, ItemDecision>, folderIdOf: (row: ItemRow) => string | undefined): Promise<void> {
    this.#noted.clear();
    const due = rows.filter(({ key }) => decided.get(key)?.act === 'make');
    if (this.#journal === undefined || due.length === 0) return;
    const numbers = await this.#journal.intend(due.map((row) => this.#note(row, folderIdOf(row) ?? null, null)));
    for (const [place, number] of numbers.entries()) this.#noted.set(due[place]?.key ?? '', number);
  }

  /** One that is made though that was not planned. */
  async intendMake(row: ItemRow, folderId: string, isStream: boolean): Promise<void> {
    if (this.#journal === undefined || this.#noted.has(row.key)) return;
    const [number] = await this.#journal.intend([{ ...this.#note(row, folderId, null), isStream }]);
    if (number !== undefined) this.#noted.set(row.key, number);
  }

  /** `now`: all of the item that may be changed; `document`: as it is to be. */
  async intendMend(row: ItemRow, { id, folderId, origin }: StandingItem, now: Entry, document: Entry): Promise<void> {
    if (this.#journal === undefined) return;
    const { shape } = this.#writing;
    const standing = { id, folderId, document: now, origin: origin === undefined ? null : formatOrigin(origin), marks: fieldMarks(shape(now), shape({ ...document, categories: withTag(document['categories'], this.#tag) })) };
    const [number] = await this.#journal.intend([this.#note(row, folderId, standing)]);
    if (number !== undefined) this.#noted.set(row.key, number);
  }

  async did({ key }: ItemRow, outcome: ItemOutcome): Promise<void> {
    const number = this.#noted.get(key);
    this.#noted.delete(key);
    if (number !== undefined) await this.#journal?.did(number, { ...outcome });
  }

  #note(row: ItemRow, folderId: string | null, standing: ItemNote['standing']): ItemNote {
    const series = parseObject(row.meta)['series'] === true;
    return { part: this.#writing.name, act: 'item', item: row.name, source: idBehind(`${this.#writing.name}/i/`, row.key), folderId, series, tag: this.#tag ?? null, isStream: false, standing };
  }
}
