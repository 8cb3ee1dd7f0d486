import { freeBuffer } from '../runtime/index.ts';
import { FRAME_RECORD, RECORD, type IndexFile, type PackSize } from './indexFile.ts';
import type { SegmentContent } from './indexSegment.ts';
import { BLOCK_ENTRIES } from './indexSegment.ts';
import type { PackFrame } from './pack.ts';
import { ID_LENGTH } from './recipe.ts';

/** Frames of whole packs, on their way into an index. */
export interface IndexedPack extends PackSize {
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
    packs: packs.map(({ id, size }) => ({ id, size })), frames: frameTable(frames), entries, replaces, records: sorted(records, entries),
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
 * One segment out of many, entry by entry in order of id. Packs for which `keepPack` answers false are left out with all
 * their entries; a pack that several segments name is taken from the first. Of several places of one blob each is kept.
 * Memory: the frame tables and one window a segment.
 */
export function mergedContent(
  files: readonly IndexFile[], replaces: readonly string[], keepPack: (pack: string) => boolean,
): SegmentContent {
  const packs: PackSize[] = [];
  const taken = new Set<string>();
  const tables: Buffer[] = [];
  const moved: Uint32Array[] = [];
  let frameCount = 0;
  for (const file of files) {
    const numbers = file.packs.map((id, i) => {
      if (taken.has(id) || !keepPack(id)) return GONE;
      taken.add(id);
      return packs.push({ id, size: file.packSizes[i] ?? 0 }) - 1;
    });
    const { table, frames } = keptFrames(file.frameTable(), numbers, frameCount);
    frameCount += table.length / FRAME_RECORD;
    tables.push(table);
    moved.push(frames);
  }
  let entries = 0;
  for (const block of mergedRecords(files, moved)) {
    entries += block.length / RECORD;
    freeBuffer(block);
  }
  return { packs, frames: Buffer.concat(tables), entries, replaces, records: mergedRecords(files, moved) };
}

const GONE = 0xffff_ffff;

/** The frames of kept packs with their new pack numbers, and for each old frame number the new one or GONE. */
function keptFrames(table: Buffer, packNumbers: readonly number[], first: number): { table: Buffer; frames: Uint32Array } {
  const kept = Buffer.allocUnsafeSlow(table.length);
  const frames = new Uint32Array(table.length / FRAME_RECORD).fill(GONE);
  let used = 0;
  for (let i = 0; i < frames.length; i++) {
    const pack = packNumbers[table.readUInt32LE(i * FRAME_RECORD)] ?? GONE;
    if (pack === GONE) continue;
    frames[i] = first + used / FRAME_RECORD;
    table.copy(kept, used, i * FRAME_RECORD, (i + 1) * FRAME_RECORD);
    kept.writeUInt32LE(pack, used);
    used += FRAME_RECORD;
  }
  return { table: kept.subarray(0, used), frames };
}

function* mergedRecords(files: readonly IndexFile[], moved: readonly Uint32Array[]): Generator<Buffer> {
  const cursors = files.map((file, i) => new RecordCursor(file, moved[i] ?? new Uint32Array(0)));
  let block = Buffer.allocUnsafeSlow(BLOCK_ENTRIES * RECORD);
  let used = 0;
  for (;;) {
    let least: RecordCursor | undefined;
    for (const cursor of cursors) {
      if (cursor.record && (!least?.record || cursor.record.compare(least.record, 0, ID_LENGTH, 0, ID_LENGTH) < 0)) least = cursor;
    }
    if (!least?.record) break;
    least.record.copy(block, used);
    used += RECORD;
    if (used === block.length) {
      yield block;
      block = Buffer.allocUnsafeSlow(BLOCK_ENTRIES * RECORD);
      used = 0;
    }
    least.next();
  }
  if (used > 0) yield block.subarray(0, used);
}

/** Walks those of one file's records whose frames are kept, with frame numbers moved to those of the merged table. */
class RecordCursor {
  record: Buffer | undefined;
  readonly #file: IndexFile;
  readonly #moved: Uint32Array;
  readonly #window = Buffer.allocUnsafeSlow(1024 * RECORD);
  #from = 0;
  #count = 0;
  #at = -1;

  constructor(file: IndexFile, moved: Uint32Array) {
    this.#file = file;
    this.#moved = moved;
    this.next();
  }

  next(): void {
    for (;;) {
      this.#at++;
      if (this.#at >= this.#count && !this.#fill()) {
        this.record = undefined;
        return;
      }
      const record = this.#window.subarray(this.#at * RECORD, (this.#at + 1) * RECORD);
      const frame = this.#moved[record.readUInt32LE(ID_LENGTH)] ?? GONE;
      if (frame === GONE) continue;
      record.writeUInt32LE(frame, ID_LENGTH);
      this.record = record;
      return;
    }
  }

  #fill(): boolean {
    this.#from += this.#count;
    this.#count = Math.min(1024, this.#file.entries - this.#from);
    this.#at = 0;
    if (this.#count <= 0) return false;
    this.#file.recordsFrom(this.#from, this.#count).copy(this.#window);
    return true;
  }
}
