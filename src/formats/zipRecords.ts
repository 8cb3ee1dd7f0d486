/** The records of a ZIP file as bytes. Source: PKWARE APPNOTE 6.3.10; section numbers in brackets. */

/** What a ZIP says of one entry. */
export interface ZipEntry {
  /** '/'-separated, without a '/' at its ends. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Milliseconds since 1970 UTC; null: none is said, which readers show as 1980. */
  readonly modified: number | null;
  /** Permission bits. Undefined: for the owner alone. */
  readonly mode?: number | undefined;
}

/** How an entry's content lies in the file. */
export interface ZipData {
  /** 0 stored, 8 deflated [4.4.5]. */
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
}

export interface ZipRecordOptions {
  /** Sizes and offsets have 64 bits. */
  readonly zip64: boolean;
  /** Sizes and checksum were not known at the start of the content, and follow it. */
  readonly streamed: boolean;
}

/** Largest value of a 32-bit field; it says that the 64-bit field counts. */
export const MOST_32 = 0xffff_ffff;
export const MOST_16 = 0xffff;

const VERSION = { plain: 20, zip64: 45 };
/** Made by: Unix, 6.3. It makes readers look at the modes [4.4.2]. */
const MADE_BY = (3 << 8) | 63;
/** Names are UTF-8 [4.4.4]. */
const UTF8 = 1 << 11;
const STREAMED = 1 << 3;
const TYPE = { file: 0o100000, folder: 0o040000, link: 0o120000 };
const MODE = { file: 0o600, folder: 0o700, link: 0o777 };
const EPOCH_1980 = Date.UTC(1980, 0);
const END_2107 = Date.UTC(2107, 11, 31, 23, 59, 58);

/** Stands before the content [4.3.7]. */
export function localHeader(entry: ZipEntry, data: ZipData, options: ZipRecordOptions): Buffer {
  const { zip64, streamed } = options;
  const name = nameBytes(entry);
  const extra = Buffer.concat([...(zip64 ? [sizes64([data.size, data.packed])] : []), unixTime(entry)]);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(zip64 ? VERSION.zip64 : VERSION.plain, 4);
  header.writeUInt16LE(UTF8 | (streamed ? STREAMED : 0), 6);
  header.writeUInt16LE(data.method, 8);
  header.writeUInt32LE(dosTime(entry.modified), 10);
  header.writeUInt32LE(data.crc, 14);
  header.writeUInt32LE(zip64 ? MOST_32 : data.packed, 18);
  header.writeUInt32LE(zip64 ? MOST_32 : data.size, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  return Buffer.concat([header, name, extra]);
}

/** Follows the content of a streamed entry [4.3.9]. */
export function dataDescriptor({ crc, packed, size }: ZipData, zip64: boolean): Buffer {
  const record = Buffer.alloc(zip64 ? 24 : 16);
  record.writeUInt32LE(0x0807_4b50, 0);
  record.writeUInt32LE(crc, 4);
  if (zip64) {
    record.writeBigUInt64LE(BigInt(packed), 8);
    record.writeBigUInt64LE(BigInt(size), 16);
  } else {
    record.writeUInt32LE(packed, 8);
    record.writeUInt32LE(size, 12);
  }
  return record;
}

/** The entry in the list at the end [4.3.12]. With zip64 all three fields are 64 bits wide. */
export function directoryRecord(entry: ZipEntry, data: ZipData, options: ZipRecordOptions & { readonly offset: number }): Buffer {
  const { zip64, streamed, offset } = options;
  const name = nameBytes(entry);
  const extra = Buffer.concat([...(zip64 ? [sizes64([data.size, data.packed, offset])] : []), unixTime(entry)]);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x0201_4b50, 0);
  record.writeUInt16LE(MADE_BY, 4);
  record.writeUInt16LE(zip64 ? VERSION.zip64 : VERSION.plain, 6);
  record.writeUInt16LE(UTF8 | (streamed ? STREAMED : 0), 8);
  record.writeUInt16LE(data.method, 10);
  record.writeUInt32LE(dosTime(entry.modified), 12);
  record.writeUInt32LE(data.crc, 16);
  record.writeUInt32LE(zip64 ? MOST_32 : data.packed, 20);
  record.writeUInt32LE(zip64 ? MOST_32 : data.size, 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE(attributes(entry), 38);
  record.writeUInt32LE(zip64 ? MOST_32 : offset, 42);
  return Buffer.concat([record, name, extra]);
}

/** What ends the file [4.3.14 to 4.3.16]. */
export function endRecords(directory: { readonly entries: number; readonly offset: number; readonly length: number }, zip64: boolean): Buffer {
  const { entries, offset, length } = directory;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(zip64 ? MOST_16 : entries, 8);
  end.writeUInt16LE(zip64 ? MOST_16 : entries, 10);
  end.writeUInt32LE(zip64 ? MOST_32 : length, 12);
  end.writeUInt32LE(zip64 ? MOST_32 : offset, 16);
  if (!zip64) return end;
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x0606_4b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeUInt16LE(MADE_BY, 12);
  wide.writeUInt16LE(VERSION.zip64, 14);
  wide.writeBigUInt64LE(BigInt(entries), 24);
  wide.writeBigUInt64LE(BigInt(entries), 32);
  wide.writeBigUInt64LE(BigInt(length), 40);
  wide.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x0706_4b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([wide, locator, end]);
}

/** Bytes that {@link localHeader}, {@link dataDescriptor} and {@link directoryRecord} take at most. */
export function mostRecordBytes(entry: ZipEntry): { readonly around: number; readonly inDirectory: number } {
  const { length } = nameBytes(entry);
  return { around: 30 + length + 20 + 9 + 24, inDirectory: 46 + length + 28 + 9 };
}

function nameBytes({ name, kind }: ZipEntry): Buffer {
  return Buffer.from(kind === 'folder' ? `${name}/` : name);
}

/** The 64-bit fields of an entry [4.5.3]. */
function sizes64(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + values.length * 8);
  extra.writeUInt16LE(0x0001, 0);
  extra.writeUInt16LE(values.length * 8, 2);
  for (const [i, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + i * 8);
  return extra;
}

/** Info-ZIP's "UT" field: the time to the second, in UTC. It ends in 2038; outside of it only the DOS time is said. */
function unixTime({ modified }: ZipEntry): Buffer {
  const seconds = Math.floor((modified ?? Number.NaN) / 1000);
  if (!(seconds >= -0x8000_0000 && seconds <= 0x7fff_ffff)) return Buffer.alloc(0);
  const extra = Buffer.alloc(9);
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(5, 2);
  extra.writeUInt8(1, 4);
  extra.writeInt32LE(seconds, 5);
  return extra;
}

/** The time in the high word's date and the low word's time, to two seconds [4.4.6]; in UTC, so that it depends on no machine. */
function dosTime(modified: number | null): number {
  const time = new Date(Math.min(END_2107, Math.max(EPOCH_1980, modified ?? EPOCH_1980)));
  const date = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  return date * 0x1_0000 + clock;
}

/** Unix type and mode in the high word, the DOS bit of a folder in the low one [4.4.15]. */
function attributes({ kind, mode = MODE[kind] }: ZipEntry): number {
  return (TYPE[kind] | (mode & 0o7777)) * 0x1_0000 + (kind === 'folder' ? 0x10 : 0);
}
