import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { freeBuffer, timeOrderedId, type Clock, type RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import { containerHeader, openTail, sealTail } from './container.ts';
import { FRAME_RECORD, IndexFile, IndexFileWriter, RECORD, type PackSize } from './indexFile.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { ID_LENGTH } from './recipe.ts';
import { isCount, isText, listOf, objectOf, orMissing, shapedJson } from './recordShape.ts';
import { damaged, HEADER_LENGTH } from './sealedObject.ts';

const MAGIC = 'HFIX';
export const BLOCK_ENTRIES = 65536;
/** Times that a local file is begun where its directory goes away. */
const ATTEMPTS = 5;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

interface Directory {
  readonly entries: number;
  readonly packs: readonly PackSize[];
  /** Segments whose entries are all here too, or gone for good: readers pass over them. */
  readonly replaces: readonly string[];
  /** Lengths of the sealed parts: the frame table, then the blocks of records. */
  readonly parts: readonly number[];
  /** Ids of the entity's records whose keys its packs may be sealed with; missing for packs that entities share. */
  readonly keys?: readonly string[];
}

const isDirectory = objectOf({
  entries: isCount, packs: listOf(objectOf({ id: isText, size: isCount })), replaces: listOf(isText), parts: listOf(isCount),
  keys: orMissing(listOf(isText)),
});

/** An entity's own stream, with the ids of the records whose keys its packs are sealed with. */
export interface OwnStream {
  readonly tag: string;
  readonly keyIds: readonly string[];
}

/** What is needed to read and write index segments of one stream. */
export interface IndexPlace {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly stream: string;
  readonly cacheDirectory: string;
  /** See {@link Directory}: those of the writer. */
  readonly keys?: readonly string[] | undefined;
}

export interface SegmentContent {
  readonly packs: readonly PackSize[];
  /** {@link FRAME_RECORD} bytes a frame. */
  readonly frames: Buffer;
  readonly entries: number;
  readonly replaces: readonly string[];
  /** {@link RECORD} bytes an entry, ascending by id, in blocks of any number of records; who takes a block frees it. */
  readonly records: Iterable<Buffer>;
}

/**
 * Puts one immutable index segment and makes its local file, without reading it back: a prune may have replaced it by then.
 * Memory: its sealed blocks.
 */
export async function writeIndexSegment(
  place: IndexPlace, content: SegmentContent, clock: Clock, random: RandomBytes, signal?: AbortSignal,
): Promise<{ id: string; file: IndexFile }> {
  const id = timeOrderedId(clock.now(), random);
  const name = names.index(place.stream, id);
  const key = place.keyring.meta;
  const parts: Buffer[] = [];
  const seal = (plain: Buffer): void => {
    const aad = Buffer.from(`${name}#${parts.length}`);
    const compressed = zstdCompressSync(plain, FAST);
    parts.push(key.key.seal(random(24), compressed, aad));
    freeBuffer(compressed);
  };
  const writer = localWriter(place, id, content, random);
  try {
    seal(content.frames);
    for (const block of content.records) {
      seal(block);
      writer.add(block);
      freeBuffer(block);
    }
    const directory: Directory = {
      entries: content.entries, packs: content.packs, replaces: content.replaces, parts: parts.map((part) => part.length),
      ...(place.keys && { keys: place.keys }),
    };
    const tail = sealTail(name, Buffer.from(JSON.stringify(directory)), key, random);
    await place.storage.put(name, [containerHeader(MAGIC, key), ...parts, ...tail], signal ? { signal } : {});
  } catch (error) {
    writer.discard();
    throw error;
  }
  return { id, file: writer.finish() };
}

function localWriter(
  place: IndexPlace, id: string, content: Pick<SegmentContent, 'packs' | 'frames' | 'entries'>, random: RandomBytes,
): IndexFileWriter {
  const path = join(place.cacheDirectory, `${id}.idx`);
  for (let attempt = 1; ; attempt++) {
    mkdirSync(place.cacheDirectory, { recursive: true, mode: 0o700 });
    try {
      return new IndexFileWriter(path, `${path}.${random(6).toString('hex')}`, content.packs, content.frames, content.entries);
    } catch (error) {
      // Somebody cleared the cache between the two.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** What is read of a segment. */
export interface LoadedSegment {
  readonly file: IndexFile;
  readonly replaces: readonly string[];
  /** Empty where it does not say. */
  readonly keys: readonly string[];
}

/** A segment's local file, fetched and unsealed when it is not there yet; which segments it replaces, and the keys of its packs. */
export async function loadIndexSegment(
  place: IndexPlace, id: string, size: number, random: RandomBytes, signal?: AbortSignal,
): Promise<LoadedSegment> {
  const name = names.index(place.stream, id);
  const tail = await openTail(place.storage, name, size, MAGIC, place.keyring.metaOf, signal);
  const directory = shapedJson<Directory>(name, tail.directory, isDirectory);
  const { replaces, keys = [] } = directory;
  const cached = openCached(join(place.cacheDirectory, `${id}.idx`), directory);
  if (cached) return { file: cached, replaces, keys };
  let offset = HEADER_LENGTH;
  const part = async (index: number): Promise<Buffer> => {
    const length = directory.parts[index] ?? 0;
    const sealed = await place.storage.get(name, { range: { offset, length }, ...(signal ? { signal } : {}) });
    offset += length;
    try {
      const plain = tail.key.open(sealed, Buffer.from(`${name}#${index}`));
      return zstdDecompressSync(plain, { maxOutputLength: 512 * 1024 * 1024 });
    } catch (error) {
      throw damaged(name, `the seal of its part ${index} does not hold`, error);
    }
  };
  const frames = await part(0);
  if (!soundFrames(frames, directory)) throw damaged(name, 'its frame table is cut');
  // Ids do not compress: this holds for every segment, and keeps a wrong number from asking for memory.
  if (directory.entries * (ID_LENGTH / 2) > size) throw damaged(name, 'it has another number of entries than it says');
  const writer = localWriter(place, id, { packs: directory.packs, frames, entries: directory.entries }, random);
  let entries = 0;
  try {
    for (let i = 1; i < directory.parts.length; i++) {
      const records = await part(i);
      if (!soundRecords(records, frames.length / FRAME_RECORD)) throw damaged(name, 'a block of it is cut');
      writer.add(records);
      entries += records.length / RECORD;
    }
    if (entries !== directory.entries) throw damaged(name, 'it has another number of entries than it says');
  } catch (error) {
    writer.discard();
    throw error;
  }
  return { file: writer.finish(), replaces, keys };
}

/** Whole rows of packs that there are. */
function soundFrames(frames: Buffer, { packs }: Directory): boolean {
  if (frames.length % FRAME_RECORD !== 0) return false;
  for (let at = 0; at < frames.length; at += FRAME_RECORD) if (frames.readUInt32LE(at) >= packs.length) return false;
  return true;
}

/** Whole entries of frames that there are. */
function soundRecords(records: Buffer, frames: number): boolean {
  if (records.length % RECORD !== 0) return false;
  for (let at = ID_LENGTH; at < records.length; at += RECORD) if (records.readUInt32LE(at) >= frames) return false;
  return true;
}

/** A file that is missing, of a crash or damaged is made anew: it is only a cache. */
function openCached(path: string, { entries, packs }: Directory): IndexFile | undefined {
  try {
    const file = IndexFile.open(path);
    const same = file.packs.length === packs.length && packs.every(({ id }, i) => file.packs[i] === id);
    if (same && file.entries === entries) return file;
    file.close();
  } catch {
    return undefined;
  }
  return undefined;
}
