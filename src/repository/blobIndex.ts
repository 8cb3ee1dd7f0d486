import { join } from 'node:path';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { Clock, RandomBytes } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import { contentOfPacks, mergedContent, type IndexedPack } from './indexBuilder.ts';
import type { BlobLocation, IndexFile } from './indexFile.ts';
import { loadIndexSegment, writeIndexSegment, type IndexPlace, type OwnStream } from './indexSegment.ts';
import type { Keyring } from './keyring.ts';
import { keepsLocked } from './lockEnds.ts';
import { lastSegment, names } from './names.ts';
import { isUnreadable } from './sealedObject.ts';

/** Segments of about one size that are merged into one. */
const FAN_IN = 8;
/** A run whose appends have left so many does not wait for its end: each lookup asks all of them. */
const CROWD = 4 * FAN_IN;
/** Entries of what a run merges, at most: it holds the output's sealed bytes, 36 an entry, beside all else that it holds. */
const MERGED = 250_000;
/** The same for a prune, which holds less. */
const LARGEST = 2_000_000;
/** Times that the segments are listed where some went away in between. */
const LISTINGS = 4;
/** Bytes of records that one stream's small segments hold in memory together. */
const HELD = 8 * 1024 * 1024;
/** A rewrite takes segments below this many entries along. */
const SMALL = 100_000;

export interface IndexContext {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly cacheDirectory: string;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

interface OpenSegment {
  readonly id: string;
  readonly file: IndexFile;
  readonly replaces: readonly string[];
  replaced: boolean;
}

/** Where blobs are, of one stream: immutable segments in the repository, read through local files. */
export class StreamIndex {
  readonly stream: string;
  readonly #context: IndexContext;
  readonly #place: IndexPlace;
  #segments: OpenSegment[] = [];
  /** Ids of segments that were put through this one. */
  readonly written: string[] = [];
  /** Packs that segments of an earlier life of the entity name: no key opens them. */
  readonly foreignPacks = new Set<string>();
  readonly #keys: ReadonlySet<string> | undefined;
  /** Ids of listed segments that another one replaces, or of an earlier life of the entity: for a prune to delete. */
  #superseded: readonly string[] = [];
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #onDamage: ((error: HoldfastError) => void) | undefined;

  private constructor(context: IndexContext, stream: string | OwnStream) {
    this.#context = context;
    this.stream = typeof stream === 'string' ? stream : stream.tag;
    this.#keys = typeof stream === 'string' ? undefined : new Set(stream.keyIds);
    const cacheDirectory = join(context.cacheDirectory, 'index');
    this.#place = { storage: context.storage, keyring: context.keyring, stream: this.stream, cacheDirectory, keys: this.#keys && [...this.#keys] };
  }

  /**
   * `onDamage` is told of segments that cannot be read, which are then passed over; without it they throw. Where the records of the entity
   * are told, segments that have none of their keys are passed over: a run that did not notice the entity's removal put them, and nobody can read its packs.
   */
  static async load(
    context: IndexContext, stream: string | OwnStream, signal?: AbortSignal, onDamage?: (error: HoldfastError) => void,
  ): Promise<StreamIndex> {
    const index = new StreamIndex(context, stream);
    index.#onDamage = onDamage;
    await index.reload(signal);
    return index;
  }

  /**
   * The index as far as it can be read: for readers, whose items elsewhere must not suffer, and for writers, who index
   * again what no readable segment names.
   */
  static loadReadable(context: IndexContext, stream: string | OwnStream, signal?: AbortSignal): Promise<StreamIndex> {
    return StreamIndex.load(context, stream, signal, () => {});
  }

  /** Makes entries of packs durable without loading the index. */
  static async add(context: IndexContext, stream: string | OwnStream, packs: readonly IndexedPack[], signal?: AbortSignal): Promise<void> {
    const { clock, random } = context;
    const { file } = await writeIndexSegment(new StreamIndex(context, stream).#place, contentOfPacks(packs), clock, random, signal);
    file.close();
  }

  /**
   * Reads the list of segments anew, and once more where one of them was removed while it was read: a merge has its entries.
   * One after another: each caller gets a list made after its call.
   * @returns whether there are other segments than before.
   */
  reload(signal?: AbortSignal): Promise<boolean> {
    const turn = this.#turn.then(() => this.#reloadAll(signal));
    this.#turn = turn.then(() => {}, () => {});
    return turn;
  }

  async #reloadAll(signal?: AbortSignal): Promise<boolean> {
    const before = this.segmentIds.join();
    for (let attempt = 1; (await this.#reload(attempt, signal)) === 'again'; attempt++);
    return this.segmentIds.join() !== before;
  }

  /** Newest first: a merge names what it replaces, and that is then not read at all. */
  async #reload(attempt: number, signal?: AbortSignal): Promise<'again' | 'done'> {
    const before = new Map(this.#segments.map((segment) => [segment.id, segment]));
    const listed: OpenSegment[] = [];
    const replaced = new Set<string>();
    const foreign = new Set<string>();
    let missed = false;
    try {
      const all = await this.#listed(signal);
      for (const { id, size } of all) {
        if (replaced.has(id)) continue;
        const segment = before.get(id) ?? await this.#open(id, size, signal);
        if (segment === 'missing') missed = true;
        if (segment === 'foreign') foreign.add(id);
        if (typeof segment === 'string') continue;
        for (const gone of segment.replaces) replaced.add(gone);
        listed.push(segment);
      }
      this.#superseded = all.map(({ id }) => id).filter((id) => replaced.has(id) || foreign.has(id));
    } catch (error) {
      for (const segment of listed) if (!before.has(segment.id)) segment.file.close();
      throw error;
    }
    // A maker whose clock is behind gives its merge an id before those that it replaces.
    this.#takeOver(listed.filter((segment) => !replaced.has(segment.id)).toReversed(), new Set([...before.values(), ...listed]));
    if (missed && attempt < LISTINGS) return 'again';
    if (missed) {
      throw new HoldfastError('repository/index-moving', 'retry', 'The index was rewritten again and again while it was read. Run the command again.');
    }
    return 'done';
  }

  /** @param seen all that were open before or were opened; what is open besides was appended meanwhile, and stays. */
  #takeOver(listed: readonly OpenSegment[], seen: ReadonlySet<OpenSegment>): void {
    const ids = new Set(listed.map((segment) => segment.id));
    const appended = this.#segments.filter((segment) => !seen.has(segment) && !ids.has(segment.id));
    const next = [...listed, ...appended];
    for (const segment of new Set([...seen, ...this.#segments])) if (!next.includes(segment)) segment.file.close();
    this.#segments = next;
    this.#letGo();
    if (this.#closed) this.close();
  }

  async #listed(signal?: AbortSignal): Promise<{ id: string; size: number }[]> {
    const found: { id: string; size: number }[] = [];
    for await (const { name, size } of listAll(this.#context.storage, names.index(this.stream, ''), signal ? { signal } : {})) {
      found.push({ id: lastSegment(name), size });
    }
    return found.toReversed();
  }

  async #open(id: string, size: number, signal?: AbortSignal): Promise<OpenSegment | 'missing' | 'unreadable' | 'foreign'> {
    try {
      const { file, replaces, keys } = await loadIndexSegment(this.#place, id, size, this.#context.random, signal);
      if (!this.#isForeign(keys)) return { id, replaced: false, file, replaces };
      for (const pack of file.packs) this.foreignPacks.add(pack);
      file.close();
      return 'foreign';
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'storage/not-found') return 'missing';
      if (!this.#onDamage || !isHoldfastError(error) || !isUnreadable(error)) throw error;
      this.#onDamage(error);
      return 'unreadable';
    }
  }

  #isForeign(keys: readonly string[]): boolean {
    return this.#keys !== undefined && keys.length > 0 && !keys.some((key) => this.#keys?.has(key));
  }

  /** A long run writes many small segments: the newest stay in memory, as far as there is room. */
  #letGo(): void {
    let held = 0;
    for (const { file, replaced } of this.#segments.toReversed()) {
      held += file.held;
      if (replaced || held > HELD) file.letGo();
    }
  }

  get entries(): number { return this.#live().reduce((sum, segment) => sum + segment.file.entries, 0); }
  get segmentIds(): readonly string[] { return this.#segments.map((segment) => segment.id); }
  /** Ids of listed segments that nobody reads any more. */
  get superseded(): readonly string[] { return this.#superseded; }

  /** All packs that some segment names. */
  packs(): Set<string> {
    return new Set(this.#live().flatMap((segment) => segment.file.packs));
  }

  /** The first place of the blob whose pack is not to be avoided. `ids` holds the 24 bytes at `at`. */
  locate(ids: Buffer, at: number, avoid: { has(pack: string): boolean }): BlobLocation | undefined {
    for (const segment of this.#segments) {
      if (segment.replaced) continue;
      for (let record = segment.file.find(ids, at); record >= 0; record = segment.file.following(record, ids, at)) {
        const location = segment.file.location(record);
        if (!avoid.has(location.pack)) return location;
      }
    }
    return undefined;
  }

  /** Files of the segments that count, for walks over all entries. */
  files(): readonly IndexFile[] {
    return this.#live().map((segment) => segment.file);
  }

  /** Makes entries of packs durable as a new segment and reads them from there. */
  async append(packs: readonly IndexedPack[], signal?: AbortSignal): Promise<void> {
    if (packs.length === 0) return;
    await this.#write(contentOfPacks(packs), signal);
    if (this.#small().length >= CROWD) await this.compact(signal);
  }

  /** Merges segments of about one size when there are many; the inputs stay until a prune. */
  async compact(signal?: AbortSignal): Promise<void> {
    if (this.#group().length < FAN_IN) return;
    // What is put where it is locked stays: of packs that an erasure took out meanwhile nothing may come back.
    if (keepsLocked(this.#context.storage)) await this.reload(signal);
    const group = this.#group();
    if (group.length >= FAN_IN) await this.#merge(group, () => true, signal);
  }

  #group(): OpenSegment[] {
    const bySize = this.#small().toSorted((a, b) => a.file.entries - b.file.entries);
    const group: OpenSegment[] = [];
    let sum = 0;
    for (const segment of bySize) {
      if (group.length >= FAN_IN && segment.file.entries > 2 * sum) break;
      if (sum + segment.file.entries > MERGED) break;
      group.push(segment);
      sum += segment.file.entries;
    }
    return group;
  }

  /**
   * Writes segments anew that name packs for which `keepPack` answers false, without those; small ones along with them.
   * @returns the ids of all segments that the index no longer needs, for a prune to delete.
   */
  async rewrite(keepPack: (pack: string) => boolean, signal?: AbortSignal): Promise<readonly string[]> {
    const live = this.#live();
    const touched = live.filter((segment) => segment.file.packs.some((pack) => !keepPack(pack)));
    if (touched.length > 0) {
      const small = live.filter((segment) => !touched.includes(segment) && segment.file.entries < SMALL);
      for (const group of inGroups([...touched, ...small])) {
        await this.#merge(group, keepPack, signal);
      }
    }
    return [...new Set([...this.#superseded, ...this.#segments.filter((segment) => segment.replaced).map((segment) => segment.id)])];
  }

  /** What the inputs replaced is replaced by the merge too: a reader must not have to read the inputs to learn it. */
  async #merge(group: readonly OpenSegment[], keepPack: (pack: string) => boolean, signal?: AbortSignal): Promise<void> {
    const standing = new Set(this.#superseded);
    const gone = group.flatMap((segment) => [segment.id, ...segment.replaces.filter((id) => standing.has(id))]);
    await this.#write(mergedContent(group.map((segment) => segment.file), gone, keepPack), signal);
    for (const segment of group) segment.replaced = true;
    this.#superseded = [...this.#superseded, ...group.map((segment) => segment.id)];
  }

  /** Writes the entries of some packs once more, as a segment of their own. */
  async copy(keepPack: (pack: string) => boolean, signal?: AbortSignal): Promise<void> {
    const content = mergedContent(this.files(), [], keepPack);
    if (content.entries > 0) await this.#write(content, signal);
  }

  close(): void {
    this.#closed = true;
    for (const segment of this.#segments) segment.file.close();
    this.#segments = [];
  }

  #live(): OpenSegment[] {
    return this.#segments.filter((segment) => !segment.replaced);
  }

  /** What a run may still merge. */
  #small(): OpenSegment[] {
    return this.#live().filter((segment) => segment.file.entries < MERGED);
  }

  async #write(content: Parameters<typeof writeIndexSegment>[1], signal?: AbortSignal): Promise<void> {
    const { clock, random } = this.#context;
    const { id, file } = await writeIndexSegment(this.#place, content, clock, random, signal);
    this.written.push(id);
    this.#segments.push({ id, file, replaces: content.replaces, replaced: false });
    this.#letGo();
  }
}

function inGroups(segments: readonly OpenSegment[]): OpenSegment[][] {
  const groups: OpenSegment[][] = [];
  let sum = 0;
  for (const segment of segments) {
    const group = groups.at(-1);
    if (group && sum + segment.file.entries <= LARGEST) group.push(segment);
    else {
      groups.push([segment]);
      sum = 0;
    }
    sum += segment.file.entries;
  }
  return groups;
}
