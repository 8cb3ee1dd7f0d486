import { crc32 } from 'node:zlib';
import { HoldfastError } from '../domain/index.ts';
import { compressible, DEFLATED, deflated, STORED, type PackedContent } from './zipContent.ts';
import { dataDescriptor, directoryRecord, endRecords, localHeader, MOST_16, MOST_32, mostRecordBytes, type ZipData, type ZipEntry } from './zipRecords.ts';

/** Takes the bytes of the file one after another; resolves when it can take more. */
export type TakeBytes = (bytes: Uint8Array) => Promise<void>;

export interface ZipWriterOptions {
  /** Every field of 64 bits is used from the start, as for a huge file. */
  readonly forceZip64?: boolean;
}

/** A streamed content may grow a little when it is packed: from here on its sizes get 64 bits. */
const WIDE = MOST_32 - 16 * 1024 * 1024;
/** The list of entries is kept in blocks of about this size. */
const BLOCK = 256 * 1024;

/**
 * Writes a ZIP as a stream, without ever going back. Memory: the list of entries that ends the file, about a hundred bytes and
 * the name for each. Calls one at a time.
 */
export class ZipWriter {
  readonly #take: TakeBytes;
  readonly #force: boolean;
  #offset = 0;
  #entries = 0;
  #directory: Buffer[] = [];
  #directoryLength = 0;
  #block: Buffer[] = [];
  #blockLength = 0;

  constructor(take: TakeBytes, options: ZipWriterOptions = {}) {
    this.#take = take;
    this.#force = options.forceZip64 ?? false;
  }

  get entries(): number { return this.#entries; }

  /** What the file has when it is finished with nothing more in it, at most. */
  get length(): number { return this.#offset + this.#directoryLength + this.#blockLength + 98; }

  /** How much an entry adds to it, at most; `packed` where that is known. */
  static mostAdded(entry: ZipEntry, size: number, packed = size + 1024 + size / 512): number {
    const { around, inDirectory } = mostRecordBytes(entry);
    return around + inDirectory + Math.ceil(packed);
  }

  folder(entry: ZipEntry): Promise<void> {
    return this.content(entry, { method: STORED, bytes: new Uint8Array(), crc: 0, size: 0 });
  }

  async content(entry: ZipEntry, { method, bytes, crc, size }: PackedContent): Promise<void> {
    const data = { method, crc, packed: bytes.length, size };
    const options = { zip64: this.#force || this.#offset > WIDE, streamed: false, offset: this.#offset };
    await this.#write(localHeader(entry, data, options));
    if (bytes.length > 0) await this.#write(bytes);
    this.#list(directoryRecord(entry, data, options));
  }

  /** A content of about `size` bytes, in pieces. */
  async stream(entry: ZipEntry, size: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const source = new MeteredPieces(pieces);
    const first = await source.next();
    const method = first && compressible(first) ? DEFLATED : STORED;
    const options = { zip64: this.#force || size > WIDE || this.#offset > WIDE, streamed: true, offset: this.#offset };
    await this.#write(localHeader(entry, { method, crc: 0, packed: 0, size: 0 }, options));
    let packed = 0;
    for await (const piece of method === DEFLATED ? deflated(source.all(first)) : source.all(first)) {
      packed += piece.length;
      await this.#write(piece);
    }
    const data: ZipData = { method, crc: source.crc, packed, size: source.size };
    if (!options.zip64 && Math.max(data.size, packed) >= MOST_32) throw grown(entry.name);
    await this.#write(dataDescriptor(data, options.zip64));
    this.#list(directoryRecord(entry, data, options));
  }

  /** Writes the list of entries: the file is whole then. */
  async finish(): Promise<void> {
    this.#closeBlock();
    const offset = this.#offset;
    for (const block of this.#directory) await this.#write(block);
    const directory = { entries: this.#entries, offset, length: this.#offset - offset };
    const zip64 = this.#force || this.#entries >= MOST_16 || offset >= MOST_32 || directory.length >= MOST_32;
    await this.#write(endRecords(directory, zip64));
    this.#directory = [];
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#offset += bytes.length;
    await this.#take(bytes);
  }

  #list(record: Buffer): void {
    this.#entries++;
    this.#block.push(record);
    this.#blockLength += record.length;
    if (this.#blockLength >= BLOCK) this.#closeBlock();
  }

  #closeBlock(): void {
    this.#directory.push(Buffer.concat(this.#block));
    this.#directoryLength += this.#blockLength;
    this.#block = [];
    this.#blockLength = 0;
  }
}

/** Counts and sums up what passes. */
class MeteredPieces {
  readonly #pieces: AsyncIterator<Uint8Array>;
  crc = 0;
  size = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async next(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#pieces.next();
    if (done === true) return undefined;
    this.crc = crc32(value, this.crc);
    this.size += value.length;
    return value;
  }

  /** `first` and what follows it. */
  async* all(first: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = first; piece; piece = await this.next()) yield piece;
    } finally {
      await this.#pieces.return?.();
    }
  }
}

function grown(name: string): HoldfastError {
  return new HoldfastError('formats/grown', 'never', `${name} is much larger than the snapshot says; nothing was made of it.`);
}
