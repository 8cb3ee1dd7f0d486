import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, fdatasyncSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { BlobFilter } from './blobFilter.ts';
import type { FrameAddress } from './frame.ts';
import { ID_LENGTH } from './recipe.ts';

/** One blob in an index: id (24), frame number (u32), offset in the opened frame (u32), length (u32), little endian. */
export const RECORD = 36;
/** Pack number, offset, length, plain length: u32 each. */
export const FRAME_RECORD = 16;
/** Pack id, bytes of the pack (u32). */
const PACK_RECORD = 20;
const PACK_ID = 16;
const HEADER = 24;
const MAGIC = 0x4846495a;
/** One fence a so many records: a lookup reads that many. */
const FENCE = 128;
/** Records of small segments are kept in memory. */
const SMALL = 131072;
/** Frames whose address a file keeps at hand. */
const LATELY = 256;
const LARGE_READ = 1024 * 1024;
/** SHA-256 of all before it. */
const TRAILER = 32;
/** Files that this process has found whole: a run opens the same ones several times. Device, inode, size, time of the last change. */
const proved = new Set<string>();

/** A pack that an index names, with the bytes that it must have. */
export interface PackSize {
  readonly id: string;
  readonly size: number;
}

export interface BlobLocation {
  readonly pack: string;
  readonly frame: FrameAddress;
  readonly offset: number;
  readonly length: number;
}

/**
 * The local copy of one index segment, read by range: header, pack ids, frames, records sorted by id, filter, fences, hash.
 * In memory: the filter (1.25 bytes a blob) and the fences (1/32 byte a blob), for small segments also the records.
 */
export class IndexFile {
  readonly entries: number;
  readonly packs: readonly string[];
  /** Bytes of each of the packs. */
  readonly packSizes: readonly number[];
  #fd: number;
  readonly #frames: number;
  readonly #filter: BlobFilter;
  readonly #fences: Uint32Array;
  #records: Buffer | undefined;
  readonly #window = Buffer.allocUnsafeSlow(FENCE * RECORD * 2);
  /** The records that the window holds. */
  #held = { start: 0, end: 0 };
  /** Frames asked for lately: blobs that are read one after another mostly lie in the same few. */
  readonly #lately = new Map<number, Readonly<{ pack: string; frame: FrameAddress }>>();

  private constructor(fd: number) {
    this.#fd = fd;
    const header = read(fd, 0, HEADER);
    if (header.readUInt32LE(0) !== MAGIC) throw new Error('no index file');
    const packCount = header.readUInt32LE(4);
    this.#frames = header.readUInt32LE(8);
    this.entries = header.readUInt32LE(12);
    const packs = read(fd, HEADER, packCount * PACK_RECORD);
    this.packs = Array.from({ length: packCount }, (_, i) => packs.toString('hex', i * PACK_RECORD, i * PACK_RECORD + PACK_ID));
    this.packSizes = Array.from({ length: packCount }, (_, i) => packs.readUInt32LE(i * PACK_RECORD + PACK_ID));
    let at = this.#recordsAt() + this.entries * RECORD;
    const filterBytes = header.readUInt32LE(16);
    this.#filter = new BlobFilter(words(read(fd, at, filterBytes)));
    at += filterBytes;
    this.#fences = words(read(fd, at, Math.ceil(this.entries / FENCE) * 4));
    this.#records = this.entries <= SMALL ? read(fd, this.#recordsAt(), this.entries * RECORD) : undefined;
  }

  /** Throws when the file is missing, no index, or not as it was written; the caller makes it anew. */
  static open(path: string): IndexFile {
    const fd = openSync(path, 'r');
    try {
      prove(fd);
      return new IndexFile(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Of a file that this process has just written; takes the descriptor over. */
  static written(fd: number): IndexFile {
    return new IndexFile(fd);
  }

  /** Bytes of records in memory. */
  get held(): number { return this.#records?.length ?? 0; }

  /** From now on its records are read from the disk. */
  letGo(): void {
    this.#records = undefined;
  }

  #recordsAt(): number {
    return HEADER + this.packs.length * PACK_RECORD + this.#frames * FRAME_RECORD;
  }

  /** Number of the record of this id, or -1. */
  find(ids: Buffer, at: number): number {
    if (this.entries === 0 || !this.#filter.maybe(ids, at)) return -1;
    const prefix = ids.readUInt32BE(at);
    let low = 0;
    let high = this.#fences.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#fences[middle] as number) < prefix) low = middle;
      else high = middle - 1;
    }
    for (let start = low * FENCE; start < this.entries; start += FENCE) {
      const count = Math.min(FENCE, this.entries - start);
      const records = this.recordsFrom(start, count);
      const hit = lowerBound(records, count, ids, at);
      if (hit < count) {
        const found = records.compare(ids, at, at + ID_LENGTH, hit * RECORD, hit * RECORD + ID_LENGTH) === 0;
        return found ? start + hit : -1;
      }
    }
    return -1;
  }

  /** The next record of the same id after `record`, or -1: several packs may hold one blob. */
  following(record: number, ids: Buffer, at: number): number {
    if (record + 1 >= this.entries) return -1;
    const next = this.recordsFrom(record + 1, 1);
    return next.compare(ids, at, at + ID_LENGTH, 0, ID_LENGTH) === 0 ? record + 1 : -1;
  }

  /** Raw records; valid until the next call. */
  recordsFrom(start: number, count: number): Buffer {
    if (this.#records) return this.#records.subarray(start * RECORD, (start + count) * RECORD);
    const { start: first, end } = this.#held;
    if (start >= first && start + count <= end) return this.#window.subarray((start - first) * RECORD, (start - first + count) * RECORD);
    if (count * RECORD > this.#window.length) return read(this.#fd, this.#recordsAt() + start * RECORD, count * RECORD);
    const target = this.#window.subarray(0, count * RECORD);
    this.#held = { start: 0, end: 0 };
    fill(this.#fd, target, this.#recordsAt() + start * RECORD);
    this.#held = { start, end: start + count };
    return target;
  }

  location(record: number): BlobLocation {
    const row = this.recordsFrom(record, 1);
    const [frame, offset, length] = [row.readUInt32LE(24), row.readUInt32LE(28), row.readUInt32LE(32)];
    return { ...this.frame(frame), offset, length };
  }

  /** Pack and address of a frame by its number in this segment. */
  frame(number: number): { pack: string; frame: FrameAddress } {
    const known = this.#lately.get(number);
    if (known) return known;
    const row = read(this.#fd, HEADER + this.packs.length * PACK_RECORD + number * FRAME_RECORD, FRAME_RECORD);
    const place = {
      pack: this.packs[row.readUInt32LE(0)] ?? '',
      frame: { offset: row.readUInt32LE(4), length: row.readUInt32LE(8), plainLength: row.readUInt32LE(12) },
    };
    if (this.#lately.size >= LATELY) this.#lately.clear();
    this.#lately.set(number, place);
    return place;
  }

  /** The frame table as stored. */
  frameTable(): Buffer {
    return read(this.#fd, HEADER + this.packs.length * PACK_RECORD, this.#frames * FRAME_RECORD);
  }

  /** Safe to call twice: the number may be another file's by then. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** The first of the records that is not before the id. Nearly all differ in their first four bytes, which cost no call. */
function lowerBound(records: Buffer, count: number, ids: Buffer, at: number): number {
  const prefix = ids.readUInt32BE(at);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = records.readUInt32BE(middle * RECORD);
    const before = there < prefix
      || (there === prefix && records.compare(ids, at, at + ID_LENGTH, middle * RECORD, middle * RECORD + ID_LENGTH) < 0);
    if (before) low = middle + 1;
    else high = middle;
  }
  return low;
}

function read(fd: number, position: number, length: number): Buffer {
  // Before gigabytes are taken for what a wrong number says.
  if (length > LARGE_READ && position + length > fstatSync(fd).size) throw new Error('index file ends too early');
  const buffer = Buffer.allocUnsafeSlow(length);
  fill(fd, buffer, position);
  return buffer;
}

/** The whole of it or an error: a short read must never leave bytes of something else. */
function fill(fd: number, buffer: Buffer, position: number): void {
  let done = 0;
  while (done < buffer.length) {
    const n = readSync(fd, buffer, done, buffer.length - done, position + done);
    if (n === 0) throw new Error('index file ends too early');
    done += n;
  }
}

/** What a disk or a crash changed must not say where data is. */
function prove(fd: number): void {
  const { dev, ino, size, mtimeNs } = fstatSync(fd, { bigint: true });
  const file = `${dev}/${ino}/${size}/${mtimeNs}`;
  if (proved.has(file)) return;
  const end = Number(size) - TRAILER;
  if (end < HEADER) throw new Error('index file ends too early');
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafeSlow(Math.min(end, 1024 * 1024));
  for (let at = 0; at < end; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, end - at));
    fill(fd, part, at);
    hash.update(part);
  }
  if (!hash.digest().equals(read(fd, end, TRAILER))) throw new Error('index file is not as it was written');
  proved.add(file);
}

/** A full disk may take a part only; what follows would then be written behind a hole. */
function writeWhole(fd: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

function words(bytes: Buffer): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function packRecord(pack: PackSize): Buffer {
  const record = Buffer.alloc(PACK_RECORD);
  record.write(pack.id, 0, 'hex');
  record.writeUInt32LE(pack.size, PACK_ID);
  return record;
}

/** Writes an index file block by block; it appears under its name only when `finish` has returned. */
export class IndexFileWriter {
  readonly #path: string;
  readonly #fd: number;
  readonly #filter: BlobFilter;
  readonly #fences: Uint32Array;
  readonly #entries: number;
  readonly #hash = createHash('sha256');
  #at = 0;
  #count = 0;

  /** `temporary` is a free name in the same directory. */
  constructor(path: string, temporary: string, packs: readonly PackSize[], frames: Buffer, entries: number) {
    this.#path = path;
    this.#temporary = temporary;
    this.#fd = openSync(temporary, 'wx+', 0o600);
    fchmodSync(this.#fd, 0o600);
    this.#entries = entries;
    this.#filter = BlobFilter.forEntries(entries);
    this.#fences = new Uint32Array(Math.ceil(entries / FENCE));
    const header = Buffer.alloc(HEADER);
    header.writeUInt32LE(MAGIC, 0);
    header.writeUInt32LE(packs.length, 4);
    header.writeUInt32LE(frames.length / FRAME_RECORD, 8);
    header.writeUInt32LE(entries, 12);
    header.writeUInt32LE(this.#filter.words.byteLength, 16);
    try {
      this.#write(Buffer.concat([header, ...packs.map(packRecord), frames]));
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  readonly #temporary: string;

  /** Whole records, in ascending order of id. */
  add(records: Buffer): void {
    for (let i = 0; i < records.length; i += RECORD) {
      this.#filter.add(records, i);
      if (this.#count % FENCE === 0) this.#fences[this.#count / FENCE] = records.readUInt32BE(i);
      this.#count++;
    }
    this.#write(records);
  }

  #write(bytes: Buffer): void {
    writeWhole(this.#fd, bytes, this.#at);
    this.#hash.update(bytes);
    this.#at += bytes.length;
  }

  /** Gives the file up. */
  discard(): void {
    closeSync(this.#fd);
    rmSync(this.#temporary, { force: true });
  }

  /** The file as it was written, by its descriptor: another process may clear the cache at any moment. */
  finish(): IndexFile {
    try {
      if (this.#count !== this.#entries) throw new Error(`index of ${this.#entries} entries got ${this.#count}`);
      this.#write(Buffer.from(this.#filter.words.buffer));
      this.#write(Buffer.from(this.#fences.buffer));
      writeWhole(this.#fd, this.#hash.digest(), this.#at);
      fdatasyncSync(this.#fd);
      this.#rename();
      return IndexFile.written(this.#fd);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  #rename(): void {
    try {
      renameSync(this.#temporary, this.#path);
    } catch (error) {
      // Somebody cleared the cache: the open file serves this run, the next one makes it anew.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
