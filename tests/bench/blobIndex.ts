/**
 * An index of many synthetic blobs: memory, and time of a look-up. Prints one line of JSON. Not part of CI at full size.
 * `node tests/bench/blobIndex.ts make|measure DIRECTORY [blobs] [blobs a segment]`; `make` writes real segments into a
 * repository's storage with their local files (about 70 bytes a blob on the disk), `measure` opens and asks them.
 */
import { appendFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BlobFilter } from '../../src/repository/blobFilter.ts';
import { StreamIndex, type IndexContext } from '../../src/repository/blobIndex.ts';
import { ClaimTable } from '../../src/repository/claimTable.ts';
import { FRAME_RECORD, RECORD } from '../../src/repository/indexFile.ts';
import { writeIndexSegment, type SegmentContent } from '../../src/repository/indexSegment.ts';
import { Keyring } from '../../src/repository/keyring.ts';
import { systemClock, systemRandom } from '../../src/runtime/index.ts';
import { FileStorage } from '../../src/storage/index.ts';

const [command = '', directory = '', blobsText = '100000000', segmentText = '2000000'] = process.argv.slice(2);
const BLOBS = Number(blobsText);
const SEGMENT = Number(segmentText);
const ID = 24;
/** Blobs of about 50 KiB in frames of a MiB, sixteen of which are a pack. */
const BLOBS_A_FRAME = 20;
const FRAMES_A_PACK = 16;
const BLOCK = 65_536;
const SAMPLES_A_SEGMENT = 4000;
const QUESTIONS = 200_000;
const CLAIMS = 1_000_000;
const samples = join(directory, 'samples');

/** One of many independent looking numbers of 32 bits. */
function mixed(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function fillId(target: Buffer, at: number, top: number, segment: number, number: number): void {
  target.writeUInt32BE(top, at);
  for (let i = 1; i < ID / 4; i++) target.writeUInt32BE(mixed(mixed(top, segment * 8 + i), number), at + 4 * i);
}

function segmentContent(segment: number, entries: number): SegmentContent {
  const tops = Uint32Array.from({ length: entries }, (_, i) => mixed(i, segment)).sort();
  const frameCount = Math.ceil(entries / BLOBS_A_FRAME);
  const frames = Buffer.alloc(frameCount * FRAME_RECORD);
  for (let i = 0; i < frameCount; i++) {
    frames.writeUInt32LE(Math.floor(i / FRAMES_A_PACK), i * FRAME_RECORD);
    frames.writeUInt32LE((i % FRAMES_A_PACK) * 600_000, i * FRAME_RECORD + 4);
    frames.writeUInt32LE(600_000, i * FRAME_RECORD + 8);
    frames.writeUInt32LE(1_048_576, i * FRAME_RECORD + 12);
  }
  const packs = Array.from({ length: Math.ceil(frameCount / FRAMES_A_PACK) }, () => ({ id: systemRandom(16).toString('hex'), size: 9_600_000 }));
  return { packs, frames, entries, replaces: [], records: recordsOf(segment, tops, frameCount) };
}

function* recordsOf(segment: number, tops: Uint32Array, frameCount: number): Generator<Buffer> {
  for (let start = 0; start < tops.length; start += BLOCK) {
    const count = Math.min(BLOCK, tops.length - start);
    const block = Buffer.allocUnsafeSlow(count * RECORD);
    for (let i = 0; i < count; i++) {
      const number = start + i;
      fillId(block, i * RECORD, tops[number] ?? 0, segment, number);
      // Blobs of one frame have nothing in common but the frame: ids are hashes.
      block.writeUInt32LE(mixed(number, segment + 77) % frameCount, i * RECORD + ID);
      block.writeUInt32LE((number % BLOBS_A_FRAME) * 51_200, i * RECORD + ID + 4);
      block.writeUInt32LE(51_200, i * RECORD + ID + 8);
    }
    yield block;
  }
}

/** Passes the records on; ids at even distances are kept as samples. */
function* sampled(records: Iterable<Buffer>, entries: number, filter: BlobFilter | undefined): Generator<Buffer> {
  const distance = Math.max(1, Math.floor(entries / SAMPLES_A_SEGMENT));
  let number = 0;
  for (const block of records) {
    for (let at = 0; at < block.length; at += RECORD, number++) {
      filter?.add(block, at);
      if (number % distance === 0) appendFileSync(samples, block.subarray(at, at + ID));
    }
    yield block;
  }
}

async function context(): Promise<IndexContext> {
  const storage = await FileStorage.open(join(directory, 'repository'));
  const keyring = Keyring.create('0'.repeat(32), (length) => Buffer.alloc(length, 7));
  return { storage, keyring, cacheDirectory: join(directory, 'cache'), clock: systemClock, random: systemRandom };
}

async function make(): Promise<object> {
  for (const name of ['repository', 'cache']) mkdirSync(join(directory, name), { recursive: true });
  const { storage, keyring, cacheDirectory, clock, random } = await context();
  const place = { storage, keyring, stream: 'bench', cacheDirectory: join(cacheDirectory, 'index') };
  let falseAlarms = 0;
  for (let segment = 0; segment * SEGMENT < BLOBS; segment++) {
    const entries = Math.min(SEGMENT, BLOBS - segment * SEGMENT);
    const filter = segment === 0 ? BlobFilter.forEntries(entries) : undefined;
    const content = segmentContent(segment, entries);
    const { file } = await writeIndexSegment(place, { ...content, records: sampled(content.records, entries, filter) }, clock, random);
    file.close();
    if (filter) {
      const strangers = random(ID * QUESTIONS);
      for (let i = 0; i < QUESTIONS; i++) if (filter.maybe(strangers, i * ID)) falseAlarms++;
    }
  }
  return { blobs: BLOBS, falseAlarmRate: Number((falseAlarms / QUESTIONS).toFixed(5)) };
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

async function measure(): Promise<object> {
  const known = readFileSync(samples);
  const strangers = systemRandom(ID * QUESTIONS);
  const before = process.memoryUsage.rss();
  const loading = performance.now();
  const index = await StreamIndex.load(await context(), 'bench');
  const loadSeconds = (performance.now() - loading) / 1000;
  const none = new Set<string>();
  const time = (count: number, work: (i: number) => void): number => {
    const start = performance.now();
    for (let i = 0; i < count; i++) work(i);
    return rounded(((performance.now() - start) * 1000) / count);
  };
  const hits = Math.min(QUESTIONS, known.length / ID);
  let found = 0;
  const hitMicroseconds = time(hits, (i) => { if (index.locate(known, ((i * 7919) % hits) * ID, none)) found++; });
  let wrong = 0;
  const missMicroseconds = time(QUESTIONS, (i) => { if (index.locate(strangers, i * ID, none)) wrong++; });
  const claims = new ClaimTable();
  const claimed = Math.min(CLAIMS, BLOBS);
  const ids = Buffer.alloc(ID);
  const claimMicroseconds = time(claimed, (i) => {
    fillId(ids, 0, mixed(i, 12345), 9, i);
    if (!claims.has(ids, 0)) claims.add(ids, 0);
  });
  const { entries } = index;
  index.close();
  if (found !== hits || wrong !== 0) throw new Error(`${found} of ${hits} known blobs were found, and ${wrong} that are not there`);
  const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return {
    blobs: entries, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024), beforeMiB: mebibytes(before),
    loadSeconds: rounded(loadSeconds), hitMicroseconds, missMicroseconds, claims: claims.size, claimMicroseconds,
    bytesPerBlob: rounded((process.resourceUsage().maxRSS * 1024 - before) / entries),
  };
}

if (!statSync(directory).isDirectory()) throw new Error(`${directory} is no directory`);
console.log(JSON.stringify(command === 'make' ? await make() : await measure()));
