import { isHoldfastError } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import type { CheckPool } from './checkPool.ts';
import { DirectoryDigest, type PackVerdict } from './checkProtocol.ts';
import type { CheckCounts, FindingList } from './checkReport.ts';
import { FRAME_RECORD, RECORD, type IndexFile } from './indexFile.ts';
import { lastSegment, names, SHARED } from './names.ts';
import { packEpoch, type PackFrame } from './pack.ts';
import { ID_LENGTH } from './recipe.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { indexedStream } from './streams.ts';

/** What the parts of one check share. */
export interface CheckView {
  /** With a cache directory of its own: what an earlier run cached proves nothing. */
  readonly context: RepositoryContext;
  readonly pool: CheckPool;
  readonly errors: FindingList;
  readonly notices: FindingList;
  readonly counts: CheckCounts;
  /** Share of the packs to read, 0 to 100. */
  readonly percent: number;
  /** Items that a finding names at most. */
  readonly named: number;
  readonly progress: () => void;
  readonly signal: AbortSignal | undefined;
}

/** Raw keys of a stream's packs, by epoch; of one that there is not, none. */
export type RawKeys = (epoch: number) => Uint8Array | undefined;

const LATE = 'No key opens this pack, and no snapshot needs it: a run put it that did not notice that what it backed up was removed. A prune that finds it a day old deletes it.';

interface BadPack {
  readonly name: string;
  readonly why: 'missing' | 'damaged' | 'index-differs';
  /** Undefined: nothing of it can be read, or nothing be found. */
  readonly parts?: { readonly frames: ReadonlySet<number>; readonly blobs: ReadonlySet<string> };
}

interface SearchedFile {
  readonly file: IndexFile;
  /** By pack number; undefined where all packs are good. */
  readonly bad: readonly (BadPack | undefined)[] | undefined;
  readonly frames: Buffer;
}

/** What one segment says is in a pack. */
interface SaidOfPack {
  readonly file: IndexFile;
  readonly sums: DirectoryDigest['sums'];
}

/** Index and packs of one stream, and which places in them can be read. */
export class CheckStream {
  readonly stream: string;
  /** Packs that stand, with their bytes, and that no index names. */
  readonly strays = new Map<string, number>();
  readonly #view: CheckView;
  readonly #index: StreamIndex;
  readonly #sizes = new Map<string, number>();
  readonly #bad = new Map<string, BadPack>();
  /** Packs that no key opens, and that no snapshot needs. */
  readonly #late = new Set<string>();
  /** By segment, packs of which it says something else than they themselves. */
  readonly #differing = new Map<IndexFile, Set<string>>();
  #files: SearchedFile[] = [];

  private constructor(view: CheckView, index: StreamIndex) {
    this.#view = view;
    this.#index = index;
    this.stream = index.stream;
  }

  /**
   * @param keys undefined where they are lost: then no pack can be proved.
   * @param removed the entity was: whatever packs there are came too late.
   */
  static async open(view: CheckView, stream: string, keys: RawKeys | undefined, removed = false): Promise<CheckStream> {
    const records = keys && await indexedStream(view.context, stream, view.signal);
    const index = await StreamIndex.load(view.context, records ?? stream, view.signal, (error) => {
      view.errors.addError(String(error.data['object']), error);
    });
    const checked = new CheckStream(view, index);
    await checked.#lookAtPacks(keys, removed);
    checked.#files = index.files().map((file) => checked.#searched(file));
    view.counts.blobs += index.entries;
    return checked;
  }

  close(): void {
    this.#index.close();
  }

  /** Where the blob is: 'good', 'unknown', or the pack without which it cannot be read. */
  find(id: Buffer): 'good' | 'unknown' | BadPack {
    let worst: BadPack | undefined;
    for (const { file, bad, frames } of this.#files) {
      for (let record = file.find(id, 0); record >= 0; record = file.following(record, id, 0)) {
        if (!bad) return 'good';
        const row = file.recordsFrom(record, 1);
        const frame = row.readUInt32LE(ID_LENGTH) * FRAME_RECORD;
        const pack = bad[frames.readUInt32LE(frame)];
        if (!pack || !isHit(pack, frames.readUInt32LE(frame + 4), row.readUInt32LE(28))) return 'good';
        worst = pack;
      }
    }
    return worst ?? 'unknown';
  }

  async #lookAtPacks(keys: RawKeys | undefined, removed: boolean): Promise<void> {
    const { context, signal, notices, counts } = this.#view;
    for await (const object of listAll(context.storage, names.packs(this.stream), signal ? { signal } : {})) {
      this.#sizes.set(lastSegment(object.name), object.size);
      counts.packs++;
    }
    const known = this.#knownSizes();
    for (const pack of known.keys()) {
      if (this.#sizes.has(pack)) continue;
      const name = names.pack(this.stream, pack);
      this.#bad.set(pack, { name, why: 'missing' });
      notices.add(name, 'missing', 'An index names this pack, which is gone. The next prune puts the index right.');
    }
    for (const [pack, size] of this.#sizes) {
      if (removed || (this.#index.foreignPacks.has(pack) && !known.has(pack))) this.#nameLate(pack);
      if (known.has(pack) || this.#late.has(pack)) continue;
      this.strays.set(pack, size);
      notices.add(names.pack(this.stream, pack), 'stray', 'No index names this pack: a run that did not finish left it, or still goes on.');
    }
    const wrong = this.#wrongSizes(known);
    if (keys) await this.#provePacks(keys, wrong);
  }

  /** Of a run that did not notice that its entity was removed, or maybe one that is broken and that nobody needs. */
  #nameLate(pack: string): void {
    this.#late.add(pack);
    this.#view.notices.add(names.pack(this.stream, pack), 'no-key', LATE);
  }

  #wrongSizes(known: ReadonlyMap<string, number>): Set<string> {
    const wrong = new Set<string>();
    for (const [pack, size] of this.#sizes) {
      const right = known.get(pack);
      if (right === undefined || right === size) continue;
      wrong.add(pack);
      this.#view.errors.add(names.pack(this.stream, pack), 'wrong-size', `The pack has ${size} bytes, not ${right}.`);
    }
    return wrong;
  }

  /** The share that was asked for, and all those in `always`. */
  async #provePacks(keys: RawKeys, always: ReadonlySet<string>): Promise<void> {
    const proving: Promise<void>[] = [];
    const digests = this.#view.percent > 0 ? this.#digests() : new Map<string, SaidOfPack[]>();
    for (const pack of this.#sizes.keys()) {
      if (this.#late.has(pack) || (!always.has(pack) && !this.#chosen())) continue;
      await this.#view.pool.ready();
      const { judged } = await this.#prove(pack, keys, digests.get(pack) ?? []);
      proving.push(judged);
      if (proving.length >= 64) await Promise.all(proving.splice(0));
    }
    await Promise.all(proving);
  }

  #chosen(): boolean {
    const { percent, context } = this.#view;
    return percent >= 100 || (percent > 0 && (context.random(4).readUInt32BE() / 2 ** 32) * 100 < percent);
  }

  #knownSizes(): Map<string, number> {
    const known = new Map<string, number>();
    for (const file of this.#index.files()) file.packs.forEach((pack, i) => known.set(pack, file.packSizes[i] ?? 0));
    return known;
  }

  /** Reads one pack and hands it to a worker; `judged` resolves when that has answered. */
  async #prove(pack: string, keys: RawKeys, said: readonly SaidOfPack[]): Promise<{ judged: Promise<void> }> {
    const { context, signal, pool, counts } = this.#view;
    const name = names.pack(this.stream, pack);
    const read = async (): Promise<Uint8Array | undefined> => {
      try {
        return await context.storage.get(name, signal ? { signal } : {});
      } catch (error) {
        if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
        this.#bad.set(pack, { name, why: 'missing' });
        return undefined;
      }
    };
    const bytes = await read();
    if (!bytes) return { judged: Promise.resolve() };
    const epoch = packEpoch(bytes, name);
    const known = keys(epoch);
    if (!known && epoch > 0) this.#view.errors.add(name, 'damaged', `The pack says that it is sealed with key epoch ${epoch}, which there is not.`);
    const key = known ?? keys(1) ?? new Uint8Array(32);
    counts.packsRead++;
    counts.bytesRead += bytes.length;
    this.#view.progress();
    const first = pool.prove({ name, bytes, key, expected: undefined });
    const judged = (async () => {
      let verdict = await first;
      if (verdict.digest === undefined) {
        const again = await read();
        if (again) verdict = await pool.prove({ name, bytes: again, key, expected: this.#expected(pack) });
      }
      this.#judge(pack, verdict, said);
    })();
    // It is awaited later, with others: until then its failure is not an unhandled one.
    judged.catch(() => {});
    return { judged };
  }

  #judge(pack: string, verdict: PackVerdict, said: readonly SaidOfPack[]): void {
    const name = names.pack(this.stream, pack);
    const { errors } = this.#view;
    const { badFrames, badBlobs, damage, digest } = verdict;
    if (digest === undefined && this.stream !== SHARED && this.strays.has(pack)) return this.#nameLate(pack);
    if (badFrames.length + badBlobs.length > 0) {
      errors.add(name, 'damaged', `${badFrames.length} frames and ${badBlobs.length} single pieces of this pack are damaged.`);
    } else if (damage !== undefined) {
      errors.add(name, 'damaged', `The pack is damaged, but what the index finds in it is whole: ${damage}`);
    }
    if (badFrames.length + badBlobs.length > 0) {
      const parts = { frames: new Set(badFrames), blobs: new Set(badBlobs.map(([frame, offset]) => `${frame}/${offset}`)) };
      this.#bad.set(pack, { name, why: 'damaged', parts });
    }
    for (const { file, sums } of said) {
      if (!digest || sums.every((sum, i) => sum === digest[i])) continue;
      this.#differing.set(file, (this.#differing.get(file) ?? new Set()).add(pack));
      errors.add(name, 'index-differs', "The index says something else of this pack than the pack itself. Run 'holdfast rebuild'.");
    }
  }

  #searched(file: IndexFile): SearchedFile {
    const differing = this.#differing.get(file);
    const bad = file.packs.map((pack): BadPack | undefined =>
      (differing?.has(pack) ? { name: names.pack(this.stream, pack), why: 'index-differs' } : this.#bad.get(pack)));
    return { file, frames: file.frameTable(), bad: bad.some(Boolean) ? bad : undefined };
  }

  #digests(): Map<string, SaidOfPack[]> {
    const all = new Map<string, SaidOfPack[]>();
    for (const file of this.#index.files()) {
      const frames = file.frameTable();
      const own = file.packs.map(() => new DirectoryDigest());
      forRecords(file, (records, at) => {
        const frame = records.readUInt32LE(at + ID_LENGTH) * FRAME_RECORD;
        own[frames.readUInt32LE(frame)]?.add(records, at, frames.readUInt32LE(frame + 4), records.readUInt32LE(at + 28), records.readUInt32LE(at + 32));
      });
      own.forEach(({ sums }, i) => {
        const pack = file.packs[i] ?? '';
        all.set(pack, [...(all.get(pack) ?? []), { file, sums }]);
      });
    }
    return all;
  }

  /** What the index says is in a pack, as the pack's own directory would. */
  #expected(pack: string): PackFrame[] | undefined {
    const file = this.#index.files().find((one) => one.packs.includes(pack));
    if (!file) return undefined;
    const number = file.packs.indexOf(pack);
    const table = file.frameTable();
    const blobs = new Map<number, { id: Buffer; offset: number; length: number }[]>();
    forRecords(file, (records, at) => {
      const frame = records.readUInt32LE(at + ID_LENGTH);
      if (table.readUInt32LE(frame * FRAME_RECORD) !== number) return;
      const list = blobs.get(frame) ?? [];
      list.push({ id: Buffer.from(records.subarray(at, at + ID_LENGTH)), offset: records.readUInt32LE(at + 28), length: records.readUInt32LE(at + 32) });
      blobs.set(frame, list);
    });
    return [...blobs].map(([frame, list]) => {
      list.sort((a, b) => a.offset - b.offset);
      const { offset, length, plainLength } = file.frame(frame).frame;
      return {
        offset, length, plainLength, ids: Buffer.concat(list.map((blob) => blob.id)),
        lengths: Uint32Array.from(list, (blob) => blob.length),
      };
    });
  }
}

function isHit(pack: BadPack, frameOffset: number, offset: number): boolean {
  if (!pack.parts) return true;
  return pack.parts.frames.has(frameOffset) || pack.parts.blobs.has(`${frameOffset}/${offset}`);
}

function forRecords(file: IndexFile, visit: (records: Buffer, at: number) => void): void {
  for (let start = 0; start < file.entries; start += 1024) {
    const count = Math.min(1024, file.entries - start);
    const records = file.recordsFrom(start, count);
    for (let i = 0; i < count; i++) visit(records, i * RECORD);
  }
}
