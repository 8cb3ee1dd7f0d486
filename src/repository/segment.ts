import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HoldfastError, type BinaryString, type RowChange } from '../domain/index.ts';
import { timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import { containerHeader, openTail, openWhole, sealTail } from './container.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { BLOCK_ROWS, encodeRowBlock, RowBlock } from './rowBlock.ts';
import { isCount, isText, listOf, objectOf, shapedJson } from './recordShape.ts';
import { damaged, HEADER_LENGTH, type EpochKey } from './sealedObject.ts';
import type { SealingKey } from './xaes.ts';

const MAGIC = 'HFSG';
/** Rows of one segment object at most; a layer continues in the next one. */
const SEGMENT_ROWS = 32 * BLOCK_ROWS;
const MAX_BLOCK = 256 * 1024 * 1024;
/** Long strings make a block end early, so that no block grows past a few megabytes or a single row. */
const BLOCK_WEIGHT = 4 * 1024 * 1024;
/** No source has rows like this; a block of one stays far below what a reader opens. */
const MAX_ROW = 64 * 1024 * 1024;
/** Sealed bytes of one segment object, about, at most: it is held in memory until it is put. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Lengths and numbers of a row. */
const ROW_BYTES = 64;

/** How a manifest names a catalog segment: object id, bytes, rows and the first of its ascending keys. */
export interface SegmentRef {
  readonly id: string;
  readonly size: number;
  readonly rows: number;
  readonly first: BinaryString;
}

/** What readers rely on in the layers of manifests and checkpoints. */
export const isLayers = listOf(listOf(objectOf({ id: isText, size: isCount, rows: isCount, first: isText })));

/** Changes of one run (or a whole state, as a base): segments with ascending, disjoint key ranges. */
export type Layer = readonly SegmentRef[];

interface BlockEntry {
  readonly offset: number;
  readonly length: number;
  readonly first: BinaryString;
}

const isBlocks = listOf(objectOf({ offset: isCount, length: isCount, first: isText }));

/** Writes one layer: rows in ascending key order, put as segment objects. Memory: one segment's sealed blocks. */
export class LayerWriter {
  readonly refs: SegmentRef[] = [];
  readonly #storage: Storage;
  readonly #keyring: Keyring;
  readonly #tag: string;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  #pending: RowChange[] = [];
  #weight = 0;
  #parts: Buffer[] = [];
  #blocks: BlockEntry[] = [];
  #at = HEADER_LENGTH;
  #rows = 0;
  #id = '';
  /** All of a segment is sealed with one key, also where a rotation is noticed midway. */
  #key: EpochKey | undefined;

  constructor(storage: Storage, keyring: Keyring, tag: string, clock: Clock, random: RandomBytes) {
    this.#storage = storage;
    this.#keyring = keyring;
    this.#tag = tag;
    this.#clock = clock;
    this.#random = random;
  }

  /** Rows that no segment object holds yet. */
  get unwritten(): number { return this.#rows + this.#pending.length; }

  async add(change: RowChange, signal?: AbortSignal): Promise<void> {
    if (this.push(change)) await this.flush(signal);
  }

  /** Takes a change without waiting; true when `flush` or `add` must be awaited before many more follow. */
  push(change: RowChange): boolean {
    const weight = weightOf(change);
    if (weight > MAX_ROW) throw tooLargeRow(weight);
    if (this.#weight + weight > BLOCK_WEIGHT) this.#seal();
    this.#pending.push(change);
    this.#weight += weight;
    if (this.#pending.length >= BLOCK_ROWS) this.#seal();
    return this.#rows >= SEGMENT_ROWS || this.#at >= SEGMENT_BYTES;
  }

  #seal(): void {
    const first = this.#pending[0];
    if (!first) return;
    this.#id ||= timeOrderedId(this.#clock.now(), this.#random);
    const key = (this.#key ??= this.#keyring.meta);
    const name = names.segment(this.#tag, this.#id);
    const aad = Buffer.from(`${name}#${this.#blocks.length}`);
    const sealed = key.key.seal(this.#random(24), zstdCompressSync(encodeRowBlock(this.#pending)), aad);
    this.#blocks.push({ offset: this.#at, length: sealed.length, first: 'row' in first ? first.row.key : first.removed });
    this.#parts.push(sealed);
    this.#at += sealed.length;
    this.#rows += this.#pending.length;
    this.#pending = [];
    this.#weight = 0;
  }

  /** Puts what was added so far; later rows go into another segment. */
  async flush(signal?: AbortSignal): Promise<void> {
    this.#seal();
    const first = this.#blocks[0];
    if (!first) return;
    const name = names.segment(this.#tag, this.#id);
    const key = (this.#key ??= this.#keyring.meta);
    const tail = sealTail(name, Buffer.from(JSON.stringify(this.#blocks)), key, this.#random);
    const parts = [containerHeader(MAGIC, key), ...this.#parts, ...tail];
    await this.#storage.put(name, parts, signal ? { signal } : {});
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    this.refs.push({ id: this.#id, size, rows: this.#rows, first: first.first });
    this.#parts = [];
    this.#blocks = [];
    this.#at = HEADER_LENGTH;
    this.#rows = 0;
    this.#id = '';
    this.#key = undefined;
  }
}

/** Bytes that the change takes in a block, at most: UTF-8 has no more than three for a unit of a string. */
function weightOf(change: RowChange): number {
  if (!('row' in change)) return ROW_BYTES + change.removed.length;
  const { key, parent, kind, change: version, content, name, meta, outcome } = change.row;
  const binary = key.length + parent.length + kind.length + version.length + content.length;
  return ROW_BYTES + binary + 3 * (name.length + meta.length + outcome.length);
}

function tooLargeRow(weight: number): HoldfastError {
  return new HoldfastError('repository/row-too-large', 'never',
    `An item's name, key and metadata together have about ${weight} bytes; up to ${MAX_ROW} can be stored. Leave the item out.`,
    { data: { bytes: weight } });
}

/** Reads one segment's blocks by range. */
export class SegmentReader {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #key: SealingKey;
  readonly #blocks: readonly BlockEntry[];

  private constructor(storage: Storage, name: string, key: SealingKey, blocks: readonly BlockEntry[]) {
    this.#storage = storage;
    this.#name = name;
    this.#key = key;
    this.#blocks = blocks;
  }

  static async open(storage: Storage, keyring: Keyring, tag: string, ref: SegmentRef, signal?: AbortSignal): Promise<SegmentReader> {
    const name = names.segment(tag, ref.id);
    const tail = await openTail(storage, name, ref.size, MAGIC, keyring.metaOf, signal);
    return new SegmentReader(storage, name, tail.key, shapedJson<BlockEntry[]>(name, tail.directory, isBlocks));
  }

  get blockCount(): number { return this.#blocks.length; }

  /** The block in which `key` is, or would be; 0 for keys before the first. */
  blockFor(key: BinaryString): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#blocks[middle]?.first ?? '') <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async block(index: number, signal?: AbortSignal): Promise<RowBlock> {
    const entry = this.#blocks[index];
    if (!entry) throw new RangeError(`segment block ${index}`);
    const sealed = await this.#storage.get(this.#name, { range: entry, ...(signal ? { signal } : {}) });
    return openBlock(this.#name, sealed, index, this.#key);
  }
}

function openBlock(name: string, sealed: Uint8Array, index: number, key: SealingKey): RowBlock {
  try {
    const plain = key.open(sealed, Buffer.from(`${name}#${index}`));
    return new RowBlock(zstdDecompressSync(plain, { maxOutputLength: MAX_BLOCK }), name);
  } catch (error) {
    throw damaged(name, `the seal of its block ${index} does not hold`, error);
  }
}

/** Opens a whole segment, block by block. Throws what reading it would throw. */
export function proveSegment(name: string, bytes: Uint8Array, keyring: Keyring): void {
  const { directory, key } = openWhole(name, bytes, MAGIC, keyring.metaOf);
  const blocks = shapedJson<BlockEntry[]>(name, directory, isBlocks);
  blocks.forEach(({ offset, length }, i) => openBlock(name, bytes.subarray(offset, offset + length), i, key));
}
