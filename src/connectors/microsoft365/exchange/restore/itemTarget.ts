import type { ItemRow } from '../../../../domain/index.ts';
import type { RestoreItem, WriteResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import type { Entry } from '../../graph/pages.ts';
import { readDocument } from '../items/documents.ts';
import { parseObject } from '../items/folders.ts';
import { idBehind } from '../items/itemSource.ts';
import { altered, failed, type SubTarget, type TargetAccess, type TargetOptions } from '../subTarget.ts';
import { FolderPlaces } from './folderPlaces.ts';
import { importItem } from './importItem.ts';
import { ItemJournal } from './itemJournal.ts';
import { decideItem, isMadeOf, originContent, type ItemDecision, type StandingItem } from './itemDecision.ts';
import { Losses } from './losses.ts';
import { formatOrigin } from './origin.ts';
import type { ItemWriting, Place, Writing } from './partWriting.ts';
import { stampOf, untagged } from './shapes.ts';
import { documentOf, readBatch, standingById, standingItem, StandingItems } from './standingItems.ts';
import { findTwins } from './twins.ts';

/** Items in a row that the service has no answer for: then it is not about these items. */
const MOST_IN_A_ROW = 5;

/** An item as the snapshot has it. */
interface KeptItem {
  readonly row: ItemRow;
  readonly document: Entry;
  readonly stream: (() => Promise<Uint8Array>) | undefined;
}

/**
 * Gives the items of one part back that are documents of Graph: contacts, events, tasks. What is there already is known by its id, or by the origin of an earlier
 * restore, which also tells how its fields were then: so a second run writes nothing, and what was changed since is mended. Nothing is sent to anybody, and nothing of
 * the user's is deleted.
 */
export class ItemTarget implements SubTarget {
  readonly name: string;
  readonly #access: TargetAccess;
  readonly #options: TargetOptions;
  readonly #writing: ItemWriting;
  #places: Promise<FolderPlaces> | undefined;
  #standing: Promise<StandingItems> | undefined;
  readonly #decided = new Map<string, ItemDecision>();
  readonly #journal: ItemJournal;
  #inARow = 0;

  constructor(access: TargetAccess, options: TargetOptions, writing: ItemWriting) {
    this.name = writing.name;
    this.#access = access;
    this.#options = options;
    this.#writing = writing;
    this.#journal = new ItemJournal(options, writing);
  }

  async plan(items: readonly RestoreItem[], signal: AbortSignal): Promise<readonly WriteResult[]> {
    this.#decided.clear();
    const places = await this.#loaded(signal);
    for (const { row } of items) if (row.kind === 'folder') places.learn(row);
    const rows = items.map(({ row }) => row).filter((row) => row.kind === this.#writing.kind && this.#left(row, places) === undefined);
    await this.#decideAll(rows, places, signal);
    // What may come as a stream is noted when it is its turn: nothing on it tells who brought it.
    const streamed = new Set(items.flatMap(({ row, companion }) => (companion === undefined ? [] : [row])));
    await this.#journal.intendMakes(rows.filter((row) => !streamed.has(row)), this.#decided, ({ parent }) => places.find(parent));
    return items.map(({ row }) => {
      const decision = this.#decided.get(row.key);
      if (decision !== undefined) return { result: decision.result };
      return row.kind === 'folder' ? this.#planFolder(row, places) : this.#left(row, places) ?? this.#strange();
    });
  }

  #planFolder(row: ItemRow, places: FolderPlaces): WriteResult {
    if (this.#isLazy(row)) return { result: 'unchanged' };
    const step = places.step(row);
    places.note(step);
    if (step.id === undefined) return { result: 'written' };
    return { result: Object.keys(step.changes).length > 0 ? 'replaced' : 'unchanged' };
  }

  async #decideAll(rows: readonly ItemRow[], places: FolderPlaces, signal: AbortSignal): Promise<void> {
    const standing = new Map<ItemRow, readonly StandingItem[]>();
    if (rows.length > 0) {
      const listed = await this.#listed(places, signal);
      for (const row of rows) standing.set(row, await listed.of(this.#idOf(row)));
    }
    await this.#lookOnce(rows, standing, places, signal);
    await findTwins({ access: this.#access, part: this.#writing, places, isBeside: this.#options.mode === 'separate' }, standing, signal);
    const stamps = await this.#stamps(rows, standing, signal);
    for (const row of rows) {
      const found = standing.get(row) ?? [];
      const context = { mode: this.#options.mode, source: this.#idOf(row), folderId: places.find(row.parent), stampOf: (item: StandingItem) => stamps.get(item) };
      this.#decided.set(row.key, decideItem(row, found, context));
    }
  }

  /** Before an item is made that the list did not tell it is asked for by its id. */
  async #lookOnce(rows: readonly ItemRow[], standing: Map<ItemRow, readonly StandingItem[]>, places: FolderPlaces, signal: AbortSignal): Promise<void> {
    if (this.#options.mode === 'separate') return;
    const missing = rows.filter((row) => standing.get(row)?.length === 0).flatMap((row) => {
      const folderId = places.find(row.parent);
      // Only in the very folder: elsewhere nothing has this id.
      return folderId === undefined || folderId !== this.#folderIdOf(row) ? [] : [{ row, id: this.#idOf(row), folderId }];
    });
    const found = await standingById(this.#access, this.#writing, missing, signal);
    for (const { row, id } of missing) {
      const item = found.get(id);
      if (item !== undefined) standing.set(row, [item]);
    }
  }

  /** How the fields are now of what an earlier restore made or mended: only with mode 'replace' it matters. */
  async #stamps(rows: readonly ItemRow[], standing: ReadonlyMap<ItemRow, readonly StandingItem[]>, signal: AbortSignal): Promise<ReadonlyMap<StandingItem, string>> {
    const stamps = new Map<StandingItem, string>();
    if (this.#options.mode !== 'replace') return stamps;
    const asked = rows.flatMap((row) => (standing.get(row) ?? []).filter((item) => item.change !== row.change && isMadeOf(row, item))
      .map((item) => ({ item, paths: this.#writing.shownPaths(this.#access.path, item, row) })));
    const results = await readBatch(this.#access, this.#writing, asked.flatMap(({ paths }) => paths), signal);
    for (const { item, paths } of asked) {
      const documents = results.splice(0, paths.length).map(documentOf);
      if (documents.every((document) => document !== undefined)) stamps.set(item, this.#stampOf(Object.assign({}, ...documents) as Entry));
    }
    return stamps;
  }

  async folder({ row }: RestoreItem, signal: AbortSignal): Promise<WriteResult> {
    const places = await this.#loaded(signal);
    places.learn(row);
    if (this.#isLazy(row)) return { result: 'unchanged' };
    const step = places.step(row);
    try {
      if (step.id === undefined) {
        await places.ensure(row.key, signal);
        return { result: 'written' };
      }
      if (Object.keys(step.changes).length === 0) return { result: 'unchanged' };
      await places.mend(step, signal);
      places.note(step);
      return { result: 'replaced' };
    } catch (error) {
      return this.#failure(error);
    }
  }

  /** The folder above all is made where one of its own is wanted; what is not given back needs no folder. */
  #isLazy(row: ItemRow): boolean {
    const { folders } = this.#writing;
    if (row.key === `${this.name}/0`) return this.#options.mode !== 'separate' || !folders.isNested;
    return folders.leave?.(parseObject(row.meta)) !== undefined;
  }

  /** The result for items of folders that are not given back. */
  #left({ parent }: ItemRow, places: FolderPlaces): WriteResult | undefined {
    const folder = places.row(parent);
    return folder === undefined ? undefined : this.#writing.folders.leave?.(parseObject(folder.meta));
  }

  async write(item: RestoreItem, bytes: Uint8Array, signal: AbortSignal, read: (row: ItemRow) => Promise<Uint8Array>): Promise<WriteResult> {
    const { row, companion } = item;
    const stream = companion === undefined ? undefined : async (): Promise<Uint8Array> => await read(companion);
    if (row.kind !== this.#writing.kind) return this.#strange();
    const places = await this.#loaded(signal);
    if (!this.#decided.has(row.key)) await this.#decideAll([row], places, signal);
    const decision = this.#decided.get(row.key);
    this.#decided.delete(row.key);
    if (decision === undefined) throw new TypeError('nothing was decided about an item');
    const document = parseObject(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
    if (Object.keys(document).length === 0) return failed('not-readable', `This ${this.#writing.nouns[0]} is in no form that can be read. Export it to have it as it is.`);
    try {
      for (const leftover of decision.leftovers) await this.#writing.remove(leftover, this.#access, signal);
      const result = decision.act === 'nothing' ? { result: decision.result } : await this.#carryOut(decision, { row, document, stream }, signal);
      this.#inARow = 0;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      return this.#failure(error);
    }
  }

  async #carryOut(decision: Exclude<ItemDecision, { act: 'nothing' }>, item: KeptItem, signal: AbortSignal): Promise<WriteResult> {
    const { row, document } = item;
    const places = await this.#loaded(signal);
    if (decision.act === 'make') return await this.#make(item, places, signal);
    try {
      return await this.#mend(decision.standing, row, document, places, signal);
    } catch (error) {
      // Gone meanwhile.
      if (!hasCode(error, 'not-found')) throw error;
      return await this.#make(item, places, signal);
    }
  }

  async #make({ row, document, stream }: KeptItem, places: FolderPlaces, signal: AbortSignal): Promise<WriteResult> {
    const folderId = await places.ensure(row.parent, signal);
    await this.#journal.intendMake(row, folderId, stream !== undefined);
    const writing = this.#writingOf(row, folderId, signal);
    const imported = stream === undefined ? undefined : await importItem(this.#writing, { row, document, stream }, writing);
    const { id, shown } = imported ?? await this.#writing.make(document, writing);
    await this.#did(row, { id, folderId }, shown, { made: true, imported: imported !== undefined }, signal);
    const { codes: [code], sentence } = writing.losses;
    return code === undefined ? { result: 'written' } : altered(code, sentence);
  }

  async #mend(standing: StandingItem, row: ItemRow, document: Entry, places: FolderPlaces, signal: AbortSignal): Promise<WriteResult> {
    const { readPurpose, shape, shownPaths, isSameBeside, besideOf, refuse, mend, nouns: [noun, many] } = this.#writing;
    const { graph, path, budget } = this.#access;
    const documents: Entry[] = [];
    for (const shown of shownPaths(path, standing, row)) documents.push(await readDocument(graph, shown, { purpose: readPurpose, budget, signal }));
    const now = Object.assign({}, ...documents) as Entry;
    const writing = this.#writingOf(row, standing.folderId, signal);
    const isElsewhere = standing.folderId !== places.find(row.parent);
    const kept = `It lies in another folder now, and Microsoft Graph does not move ${many}. Move it by hand.`;
    if (stampOf(this.#untagged(shape(now))) === stampOf(this.#untagged(shape(document))) && (await isSameBeside?.(standing, document, now, writing)) !== false) {
      return isElsewhere ? failed('elsewhere', kept) : { result: 'unchanged' };
    }
    const refused = refuse?.(now);
    if (refused !== undefined) return refused;
    if (this.#journal.isKept) await this.#journal.intendMend(row, standing, { ...now, ...await besideOf?.(standing, now, this.#access, signal) }, document);
    await this.#did(row, standing, await mend(standing, document, now, writing), { made: false }, signal);
    if (isElsewhere) writing.losses.add('elsewhere', `its place: this ${noun} lies in another folder now, and Microsoft Graph does not move ${many}`);
    const { codes: [code], sentence } = writing.losses;
    return code === undefined ? { result: 'replaced' } : altered(code, sentence);
  }

  /** `shown`: the item now; undefined: it has to be asked for. */
  async #did(row: ItemRow, { id, folderId }: Place, shown: Entry | undefined, how: { readonly made: boolean; readonly imported?: boolean }, signal: AbortSignal): Promise<void> {
    if (!this.#journal.isKept) return;
    const place = { id, folderId };
    const { graph, path, budget } = this.#access;
    const { shortPath, readPurpose } = this.#writing;
    const { change } = standingItem(this.#writing, shown ?? await graph.get(shortPath(path, place), { purpose: readPurpose, budget, signal }), folderId);
    await this.#journal.did(row, { ...place, change, ...how });
  }

  #writingOf(row: ItemRow, folderId: string, signal: AbortSignal): Writing {
    const { mode, tag, journal } = this.#options;
    const restore = journal === undefined ? {} : { restore: journal.id };
    return {
      access: this.#access, signal, losses: new Losses(), tag, folderId,
      stampOf: (document) => this.#stampOf(document),
      origin: (stamp, whole) => formatOrigin({ source: this.#idOf(row), content: originContent(row, stamp), beside: mode === 'separate', whole, ...restore }),
    };
  }

  #stampOf(document: Entry): string {
    return stampOf(this.#untagged(this.#writing.shape(document)));
  }

  #untagged(shape: Entry): Entry {
    return untagged(shape, this.#options.tag);
  }

  #strange(): WriteResult {
    const [one, many] = this.#writing.nouns;
    return failed(`not-a-${one}`, `Among ${many} only ${many} and their folders are given back; this item is neither.`);
  }

  /** What concerns this item alone; any other error is thrown. */
  #failure(error: unknown): WriteResult {
    if (!hasCode(error, 'refused', 'not-found', 'unavailable', 'odd-answer')) throw error;
    if (hasCode(error, 'unavailable', 'odd-answer') && ++this.#inARow > MOST_IN_A_ROW) throw error;
    return failed('refused', error.message);
  }

  /** Nothing is left to be confirmed: each item that was made was answered with its id. */
  finish(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const standing = this.#standing;
    this.#standing = undefined;
    await (await standing)?.close();
  }

  #idOf({ key }: ItemRow): string {
    return idBehind(`${this.name}/i/`, key);
  }

  #folderIdOf({ parent }: ItemRow): string {
    return idBehind(`${this.name}/f/`, parent);
  }

  async #loaded(signal: AbortSignal): Promise<FolderPlaces> {
    this.#places ??= FolderPlaces.load(this.#access, this.#options, this.#writing.folders, signal).catch((error: unknown) => {
      this.#places = undefined;
      throw error;
    });
    return await this.#places;
  }

  async #listed(places: FolderPlaces, signal: AbortSignal): Promise<StandingItems> {
    this.#standing ??= StandingItems.list(this.#access, this.#writing, places.searched, signal).catch((error: unknown) => {
      this.#standing = undefined;
      throw error;
    });
    return await this.#standing;
  }
}
