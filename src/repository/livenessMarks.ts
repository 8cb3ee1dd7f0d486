import type { StreamIndex } from './blobIndex.ts';
import { FRAME_RECORD, RECORD, type IndexFile } from './indexFile.ts';
import { ID_LENGTH } from './recipe.ts';

/** One frame of a pack: where it is and how many of its bytes (before compression) are still needed. */
export interface FrameUse {
  readonly offset: number;
  readonly length: number;
  readonly plain: number;
  readonly live: number;
}

export interface PackUse {
  readonly pack: string;
  readonly frames: readonly FrameUse[];
}

interface MarkedFile {
  readonly file: IndexFile;
  /** One bit a record. */
  readonly bits: Uint8Array;
  /** By pack number: 1 where the pack may not be relied on, undefined where all may. */
  readonly bad: Uint8Array | undefined;
  readonly frames: Buffer;
}

/**
 * Marks the records of an index that are needed. Of several places of a blob the first in a good pack counts.
 * Memory: one bit a blob, 24 bytes a frame.
 */
export class LivenessMarks {
  readonly #files: MarkedFile[] = [];
  readonly #bad: ReadonlySet<string>;

  /** `bad`: packs that are gone or announced for deletion. The index must stay open. */
  constructor(index: StreamIndex, bad: ReadonlySet<string>) {
    this.#bad = bad;
    this.extend(index);
  }

  /** Takes in segments that the index has got since; marks that were made stay. */
  extend(index: StreamIndex): void {
    for (const file of index.files()) {
      if (this.#files.some((marked) => marked.file === file)) continue;
      const flags = Uint8Array.from(file.packs, (pack) => (this.#bad.has(pack) ? 1 : 0));
      this.#files.push({
        file, bits: new Uint8Array(Math.ceil(file.entries / 8)), frames: file.frameTable(),
        bad: flags.includes(1) ? flags : undefined,
      });
    }
  }

  /** Marks a place of the blob in a good pack; false where there is none. */
  mark(id: Buffer): boolean {
    return this.#markWhere(id, (marked, record) => !isBad(marked, record));
  }

  /** Marks a place in any pack for which `stands` answers true. */
  markIn(id: Buffer, stands: (pack: string) => boolean): boolean {
    return this.#markWhere(id, (marked, record) => stands(packOf(marked, record)));
  }

  #markWhere(id: Buffer, fits: (marked: MarkedFile, record: number) => boolean): boolean {
    for (const marked of this.#files) {
      for (let record = marked.file.find(id, 0); record >= 0; record = marked.file.following(record, id, 0)) {
        if (!fits(marked, record)) continue;
        marked.bits[record >> 3] = (marked.bits[record >> 3] ?? 0) | (1 << (record & 7));
        return true;
      }
    }
    return false;
  }

  /** Whether this very place of the blob is marked. */
  isMarked(id: Buffer, pack: string, frameOffset: number): boolean {
    for (const marked of this.#files) {
      for (let record = marked.file.find(id, 0); record >= 0; record = marked.file.following(record, id, 0)) {
        if (((marked.bits[record >> 3] ?? 0) & (1 << (record & 7))) === 0) continue;
        const frame = marked.file.recordsFrom(record, 1).readUInt32LE(ID_LENGTH) * FRAME_RECORD;
        if (marked.frames.readUInt32LE(frame + 4) === frameOffset && packOf(marked, record) === pack) return true;
      }
    }
    return false;
  }

  /** Every place of the blob that an index names. */
  *places(id: Buffer): Generator<{ readonly pack: string; readonly marked: boolean }> {
    for (const marked of this.#files) {
      for (let record = marked.file.find(id, 0); record >= 0; record = marked.file.following(record, id, 0)) {
        yield { pack: packOf(marked, record), marked: ((marked.bits[record >> 3] ?? 0) & (1 << (record & 7))) !== 0 };
      }
    }
  }

  /** What of each pack is in use. A pack that several segments name is told once, by the one whose records get the marks. */
  *uses(): Generator<PackUse> {
    const told = new Set<string>();
    for (const marked of this.#files) {
      const live = liveBytes(marked);
      const { frames, file } = marked;
      let uses: FrameUse[] = [];
      for (let i = 0; i < live.length; i++) {
        const at = i * FRAME_RECORD;
        uses.push({
          offset: frames.readUInt32LE(at + 4), length: frames.readUInt32LE(at + 8),
          plain: frames.readUInt32LE(at + 12) % 0x8000_0000, live: live[i] ?? 0,
        });
        const pack = frames.readUInt32LE(at);
        if (i + 1 < live.length && frames.readUInt32LE(at + FRAME_RECORD) === pack) continue;
        const id = file.packs[pack] ?? '';
        if (!told.has(id)) yield { pack: id, frames: uses };
        told.add(id);
        uses = [];
      }
    }
  }
}

function packOf(marked: MarkedFile, record: number): string {
  return marked.file.packs[packNumber(marked, record)] ?? '';
}

function packNumber(marked: MarkedFile, record: number): number {
  const frame = marked.file.recordsFrom(record, 1).readUInt32LE(ID_LENGTH);
  return marked.frames.readUInt32LE(frame * FRAME_RECORD);
}

function isBad(marked: MarkedFile, record: number): boolean {
  return marked.bad !== undefined && marked.bad[packNumber(marked, record)] === 1;
}

function liveBytes({ file, bits, frames }: MarkedFile): Float64Array {
  const live = new Float64Array(frames.length / FRAME_RECORD);
  for (let start = 0; start < file.entries; start += 1024) {
    const count = Math.min(1024, file.entries - start);
    const records = file.recordsFrom(start, count);
    for (let i = 0; i < count; i++) {
      const record = start + i;
      if (((bits[record >> 3] ?? 0) & (1 << (record & 7))) === 0) continue;
      const frame = records.readUInt32LE(i * RECORD + ID_LENGTH);
      live[frame] = (live[frame] ?? 0) + records.readUInt32LE(i * RECORD + 32);
    }
  }
  return live;
}
