import { FRAME_RECORD, RECORD, type IndexFile } from './indexFile.ts';
import type { SegmentContent } from './indexSegment.ts';
import { BLOCK_ENTRIES } from './indexSegment.ts';
import type { PackFrame } from './pack.ts';
import { ID_LENGTH } from './recipe.ts';

/** Frames of whole packs, on their way into an index. */
export interface IndexedPack {
  readonly id: string;
  readonly frames: readonly PackFrame[];
}

/** The entries of some packs, sorted. Memory: about 100 bytes a blob while it runs. */
export function contentOfPacks(packs: readonly IndexedPack[], replaces: readonly string[] = []): SegmentContent {
  const frames = packs.flatMap((pack, packNumber) => pack.frames.map((frame) => ({ packNumber, frame })));
  const entries = frames.reduce((sum, { frame }) => sum + frame.lengths.length, 0);
  const records = Buffer.allocUnsafeSlow(entries * RECORD);
  let at = 0;
  frames.forEach(({ frame }, frameNumber) => {
    let offset = 0;
    for (let i = 0; i < frame.lengths.length; i++) {
      records.set(frame.ids.subarray(i * ID_LENGTH, (i + 1) * ID_LENGTH), at);
      const length = frame.lengths[i] as number;
      records.writeUInt32LE(frameNumber, at + 24);
      records.writeUInt32LE(offset, at + 28);
      records.writeUInt32LE(length, at + 32);
      offset += length;
      at += RECORD;
    }
  });
  return {
    packs: packs.map((pack) => pack.id), frames: frameTable(frames), entries, replaces, records: sorted(records, entries),
  };
}

function frameTable(frames: readonly { packNumber: number; frame: PackFrame }[]): Buffer {
  const table = Buffer.alloc(frames.length * FRAME_RECORD);
  frames.forEach(({ packNumber, frame }, i) => {
    table.writeUInt32LE(packNumber, i * FRAME_RECORD);
    table.writeUInt32LE(frame.offset, i * FRAME_RECORD + 4);
    table.writeUInt32LE(frame.length, i * FRAME_RECORD + 8);
    table.writeUInt32LE(frame.plainLength, i * FRAME_RECORD + 12);
  });
  return table;
}

function* sorted(records: Buffer, entries: number): Generator<Buffer> {
  const prefix = Float64Array.from({ length: entries }, (_, i) => records.readUIntBE(i * RECORD, 6));
  const order = Uint32Array.from({ length: entries }, (_, i) => i).sort((a, b) =>
    (prefix[a] as number) - (prefix[b] as number)
    || records.compare(records, b * RECORD, b * RECORD + ID_LENGTH, a * RECORD, a * RECORD + ID_LENGTH));
  for (let start = 0; start < entries; start += BLOCK_ENTRIES) {
    const count = Math.min(BLOCK_ENTRIES, entries - start);
    const block = Buffer.allocUnsafeSlow(count * RECORD);
    for (let i = 0; i < count; i++) {
      const from = (order[start + i] as number) * RECORD;
      records.copy(block, i * RECORD, from, from + RECORD);
    }
    yield block;
  }
}

/**
 * One segment out of many, entry by entry in order of id. Entries of packs for which `keepPack` answers false are left out,
 * of several entries for one blob each with its own place is kept. Memory: the frame tables and one window a segment.
 */
export function mergedContent(
  files: readonly IndexFile[], replaces: readonly string[], keepPack: (pack: string) => boolean,
): SegmentContent {
  const packs: string[] = [];
  const packNumbers = new Map<string, number>();
  const tables: Buffer[] = [];
  const frameBase: number[] = [];
  let frameCount = 0;
  for (const file of files) {
    const table = Buffer.from(file.frameTable());
    for (let i = 0; i < table.length; i += FRAME_RECORD) {
      const pack = file.packs[table.readUInt32LE(i)] ?? '';
      let number = packNumbers.get(pack);
      if (number === undefined) {
        number = packs.push(pack) - 1;
        packNumbers.set(pack, number);
      }
      table.writeUInt32LE(number, i);
    }
    frameBase.push(frameCount);
    frameCount += table.length / FRAME_RECORD;
    tables.push(table);
  }
  const frames = Buffer.concat(tables);
  const kept = packs.map(keepPack);
  const keep = (frame: number): boolean => kept[frames.readUInt32LE(frame * FRAME_RECORD)] === true;
  let entries = 0;
  for (const block of mergedRecords(files, frameBase, keep)) entries += block.length / RECORD;
  return { packs, frames, entries, replaces, records: mergedRecords(files, frameBase, keep) };
}

function* mergedRecords(files: readonly IndexFile[], frameBase: readonly number[], keep: (frame: number) => boolean): Generator<Buffer> {
  const cursors = files.map((file, i) => new RecordCursor(file, frameBase[i] ?? 0));
  let block = Buffer.allocUnsafeSlow(BLOCK_ENTRIES * RECORD);
  let used = 0;
  for (;;) {
    let least: RecordCursor | undefined;
    for (const cursor of cursors) {
      if (cursor.record && (!least?.record || cursor.record.compare(least.record, 0, ID_LENGTH, 0, ID_LENGTH) < 0)) least = cursor;
    }
    if (!least?.record) break;
    if (keep(least.record.readUInt32LE(24))) {
      least.record.copy(block, used);
      used += RECORD;
      if (used === block.length) {
        yield block;
        block = Buffer.allocUnsafeSlow(BLOCK_ENTRIES * RECORD);
        used = 0;
      }
    }
    least.next();
  }
  if (used > 0) yield block.subarray(0, used);
}

/** Walks one file's records with frame numbers moved to those of the merged table. */
class RecordCursor {
  record: Buffer | undefined;
  readonly #file: IndexFile;
  readonly #base: number;
  readonly #window = Buffer.allocUnsafeSlow(1024 * RECORD);
  #from = 0;
  #count = 0;
  #at = -1;

  constructor(file: IndexFile, base: number) {
    this.#file = file;
    this.#base = base;
    this.next();
  }

  next(): void {
    this.#at++;
    if (this.#at >= this.#count) {
      this.#from += this.#count;
      this.#count = Math.min(1024, this.#file.entries - this.#from);
      this.#at = 0;
      if (this.#count <= 0) {
        this.record = undefined;
        return;
      }
      this.#file.recordsFrom(this.#from, this.#count).copy(this.#window);
    }
    this.record = this.#window.subarray(this.#at * RECORD, (this.#at + 1) * RECORD);
    this.record.writeUInt32LE(this.record.readUInt32LE(24) + this.#base, 24);
  }
}
