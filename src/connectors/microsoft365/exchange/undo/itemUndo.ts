import type { NotedChange, UndoResult } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { listOf, readDocument } from '../items/documents.ts';
import type { StandingItem } from '../restore/itemDecision.ts';
import { hasMarkedFields, type FolderMendNote, type FolderNote, type ItemNote, type ItemOutcome } from '../restore/itemNotes.ts';
import { Losses } from '../restore/losses.ts';
import { formatOrigin } from '../restore/origin.ts';
import type { ItemWriting, Place, Writing } from '../restore/partWriting.ts';
import { stampOf, untagged } from '../restore/shapes.ts';
import { documentOf, readBatch, standingIn, standingItem } from '../restore/standingItems.ts';
import { ItemFolderUndo } from './itemFolderUndo.ts';
import { CHANGED, IN_DOUBT, left, NOTHING, orFailed, someAtOnce, UNDONE, worst, type PartUndo, type UndoCall, type UndoContext } from './undoResults.ts';

const MEETING = left('meeting-stands', 'Others take part in it, and would get mail if it were taken away. Delete it by hand, if they may know.');

interface Asked {
  readonly note: ItemNote;
  readonly outcome: ItemOutcome | undefined;
}

/**
 * Takes back what a restore did to contacts, events or tasks. What it made goes to Deleted Items (tasks have none), what it changed is written as it was. An item
 * that is not as the restore left it is left alone: its change key tells, else the stamp of its fields that the restore wrote upon it.
 */
export class ItemUndo implements PartUndo {
  readonly name: string;
  readonly #context: UndoContext;
  readonly #writing: ItemWriting;
  readonly #folders: ItemFolderUndo;

  constructor(context: UndoContext, writing: ItemWriting) {
    this.name = writing.name;
    this.#context = context;
    this.#writing = writing;
    this.#folders = new ItemFolderUndo(context.access, writing);
  }

  async undo(changes: readonly NotedChange[], call: UndoCall): Promise<readonly UndoResult[]> {
    const results = new Map<NotedChange, UndoResult>();
    const items = changes.filter(({ note }) => note['act'] === 'item');
    const asked = new Map(items.map((change) => [change, { note: change.note as ItemNote, outcome: change.outcome as ItemOutcome | undefined }] as const));
    const now = await this.#read([...asked.values()].flatMap(placesOf), call.signal);
    const unsure = await this.#findMade([...asked.values()], call.signal);
    await someAtOnce([...asked], this.#context.access.budget.concurrent, async ([change, one]) => {
      results.set(change, await this.#undoItem(one, now, unsure.get(one.note.source) ?? [], call));
    });
    for (const change of changes) {
      if (change.note['act'] === 'folder') results.set(change, await this.#folders.remove(change.note as FolderNote, textOf(change.outcome ?? {}, 'id'), call));
      if (change.note['act'] === 'mendFolder') results.set(change, await this.#folders.mend(change.note as FolderMendNote, call));
    }
    return changes.map((change) => results.get(change) ?? left('not-known', 'This version of Holdfast does not know this change. Use the one that restored it.'));
  }

  /** Those of the items that are there, by id. */
  async #read(places: readonly Place[], signal: AbortSignal): Promise<ReadonlyMap<string, StandingItem>> {
    const { access } = this.#context;
    const results = await readBatch(access, this.#writing, places.map((place) => this.#writing.shortPath(access.path, place)), signal);
    const found = new Map<string, StandingItem>();
    for (const [at, { id, folderId }] of places.entries()) {
      const document = documentOf(results[at]);
      if (document !== undefined) found.set(id, standingItem(this.#writing, document, textOf(document, 'parentFolderId') || folderId));
    }
    return found;
  }

  /** Of changes of which nobody knows how far they came: what the restore made, by the item that it was made from. */
  async #findMade(asked: readonly Asked[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly StandingItem[]>> {
    const { access, restore } = this.#context;
    const unsure = asked.filter(({ outcome }) => outcome === undefined);
    const folders = unsure.some(({ note }) => note.folderId === null) ? await this.#folders.ids(signal) : new Set(unsure.flatMap(({ note: { folderId } }) => folderId ?? []));
    const sources = new Set(unsure.map(({ note }) => note.source));
    const found = new Map<string, StandingItem[]>();
    for (const folderId of folders) {
      try {
        for await (const items of standingIn(access, this.#writing, folderId, signal)) {
          for (const item of items) {
            const { origin } = item;
            if (origin?.restore === restore && sources.has(origin.source)) found.set(origin.source, [...found.get(origin.source) ?? [], item]);
          }
        }
      } catch (error) {
        if (!hasCode(error, 'not-found')) throw error;
      }
    }
    return found;
  }

  async #undoItem({ note, outcome }: Asked, now: ReadonlyMap<string, StandingItem>, made: readonly StandingItem[], call: UndoCall): Promise<UndoResult> {
    return await orFailed(call.signal, async () => {
      const results: UndoResult[] = [];
      if (outcome?.made === true) results.push(await this.#putAway(note, now.get(outcome.id), outcome, call));
      else if (note.standing !== null) results.push(await this.#putBack(note, note.standing, now.get(note.standing.id), outcome, call));
      for (const item of made) if (item.id !== note.standing?.id) results.push(await this.#putAway(note, item, undefined, call));
      if (note.isStream && outcome === undefined && made.length === 0) results.push(IN_DOUBT);
      return worst(results);
    });
  }

  /** `outcome`: as the restore left it; undefined: nobody could note that. */
  async #putAway(note: ItemNote, item: StandingItem | undefined, outcome: ItemOutcome | undefined, call: UndoCall): Promise<UndoResult> {
    if (item === undefined) return NOTHING;
    const change = outcome?.change;
    // Only what came as a stream has people in it, who would get mail.
    if (note.isStream && outcome?.imported !== false && this.#writing.refuse?.(await this.#shown(note, item, call.signal)) !== undefined) return MEETING;
    if (item.change !== change) {
      const isOurs = item.origin?.whole === false || isLeft(item, this.#writing.shape(await this.#shown(note, item, call.signal)), note);
      // Fields alone do not tell whether something else of it is another: then it must be possible to get it back.
      if (!isOurs || (change !== undefined && this.#writing.isGoneForGood === true)) return CHANGED;
    }
    if (call.dryRun) this.#folders.leaves(item.id);
    else await this.#writing.discard(item, this.#context.access, call.signal);
    return UNDONE;
  }

  async #putBack(note: ItemNote, before: NonNullable<ItemNote['standing']>, item: StandingItem | undefined, outcome: ItemOutcome | undefined, call: UndoCall): Promise<UndoResult> {
    if (item === undefined) return left('gone', 'It was changed by the restore, and it is not there any more. It may be in Deleted Items.');
    const now = await this.#shown(note, item, call.signal);
    const shape = this.#writing.shape(now);
    const writing = this.#writingOf(before, call.signal);
    const isAsBefore = stampOf(shape) === stampOf(this.#writing.shape(before.document)) && (await this.#writing.isSameBeside?.(item, before.document, now, writing)) !== false;
    if (isAsBefore) return NOTHING;
    if (item.change !== outcome?.change && !this.#isAsLeft(item, shape, note, outcome === undefined)) return CHANGED;
    const refused = this.#writing.refuse?.(now);
    if (refused !== undefined) return 'outcome' in refused ? left(refused.outcome.code, refused.outcome.message) : CHANGED;
    if (call.dryRun) return UNDONE;
    const without = await this.#detach(item, before.document, now, call.signal);
    await this.#writing.mend(item, before.document, without, writing);
    const { '@holdfast.notKept': notKept } = before.document;
    if (Array.isArray(notKept)) writing.losses.add('attachment-lost', `attachments of single occurrences, which were too large to be kept: ${notKept.join(', ')}`);
    const { codes: [code], sentence } = writing.losses;
    return code === undefined ? UNDONE : { result: 'altered', code, message: sentence };
  }

  /** The fields are those that the restore wrote; of what it had not finished (`isUnsure`), each is as it was or as it was to be. */
  #isAsLeft(item: StandingItem, shape: Entry, note: ItemNote, isUnsure: boolean): boolean {
    if (item.origin?.restore === this.#context.restore && isLeft(item, shape, note)) return true;
    return isUnsure && note.standing !== null && hasMarkedFields(shape, note.standing.marks);
  }

  /** What the restore attached goes; the document without it. */
  async #detach(item: StandingItem, before: Entry, now: Entry, signal: AbortSignal): Promise<Entry> {
    const { graph, path, budget } = this.#context.access;
    const at = this.#writing.attachmentsAt?.(path, item);
    const known = new Set(listOf(before, 'attachments').map(idOf));
    const [kept, added] = [listOf(now, 'attachments').filter((entry) => known.has(idOf(entry))), listOf(now, 'attachments').filter((entry) => !known.has(idOf(entry)))];
    if (at === undefined || added.length === 0) return now;
    for (const entry of added) {
      await graph.remove(`${at}/${encodeURIComponent(idOf(entry))}`, { purpose: this.#writing.writePurpose, budget, signal }).catch((error: unknown) => {
        if (!hasCode(error, 'not-found')) throw error;
      });
    }
    return { ...now, attachments: kept };
  }

  /** The fields of an item now. */
  async #shown({ series }: ItemNote, item: Place, signal: AbortSignal): Promise<Entry> {
    const { graph, path, budget } = this.#context.access;
    const documents: Entry[] = [];
    const paths = this.#writing.shownPaths(path, item, { meta: JSON.stringify({ series }) });
    for (const shown of paths) documents.push(await readDocument(graph, shown, { purpose: this.#writing.readPurpose, budget, signal }));
    return Object.assign({}, ...documents) as Entry;
  }

  /** The item gets the origin back that it had; one that it had not says that it is as nobody backed it up. */
  #writingOf({ id, folderId, origin }: NonNullable<ItemNote['standing']>, signal: AbortSignal): Writing {
    const stamp = (document: Entry): string => stampOf(this.#writing.shape(document));
    return {
      access: this.#context.access, signal, losses: new Losses(), tag: undefined, folderId, stampOf: stamp,
      origin: (of) => origin ?? formatOrigin({ source: id, content: `undone.${of}`, beside: false, whole: true }),
    };
  }

  async close(): Promise<void> {
    await this.#folders.close();
  }
}

/** Whether the fields are those that the restore wrote. */
function isLeft({ origin }: StandingItem, shape: Entry, { tag }: ItemNote): boolean {
  return origin?.content.split('.')[1] === stampOf(untagged(shape, tag ?? undefined));
}

function placesOf({ note: { standing }, outcome }: Asked): readonly Place[] {
  const made = outcome?.made === true ? [{ id: outcome.id, folderId: outcome.folderId }] : [];
  return standing === null ? made : [...made, { id: standing.id, folderId: standing.folderId }];
}
