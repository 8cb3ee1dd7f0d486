/**
 * Speed of the loops over bytes, in MB per second of CPU (user and system).
 * Run: `bin/node tests/bench/primitives.ts [directory of .eml files] [how many]`; without one, mails are made up.
 */
import { hash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { encodeBase64Lines, encodedLength, scriptLineCodec } from '../../src/repository/base64Lines.ts';
import { Chunker } from '../../src/repository/chunker.ts';
import { IdTable } from '../../src/repository/idTable.ts';
import { splitParts } from '../../src/repository/parts.ts';
import type { Base64Part } from '../../src/repository/parts.ts';
import { SealingKey } from '../../src/repository/xaes.ts';
import { systemRandom } from '../../src/runtime/index.ts';

const ROUNDS = 5;
const MB = 1e6;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The best of some rounds: what else runs on the machine only ever adds. */
function measure(work: () => void): number {
  work();
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = cpuSeconds();
    work();
    best = Math.min(best, cpuSeconds() - start);
  }
  return best;
}

function row(name: string, amount: number, unit: 'MB' | 'M', work: () => void, note = ''): void {
  const speed = (amount / measure(work)).toFixed(unit === 'MB' ? 0 : 2);
  console.log(`${name.padEnd(38)} ${speed.padStart(7)} ${unit}/s ${note}`);
}

function bytesRow(name: string, bytes: number, times: number, work: () => void): void {
  row(name, (bytes * times) / MB, 'MB', () => {
    for (let i = 0; i < times; i++) work();
  });
}

function sealing(): void {
  const key = new SealingKey(systemRandom(32));
  const nonce = systemRandom(24);
  for (const kib of [16, 128, 512]) {
    const plain = systemRandom(kib * 1024);
    const target = Buffer.alloc(plain.length + 100);
    const sealed = key.seal(nonce, plain);
    const times = Math.ceil(65536 / kib);
    bytesRow(`seal ${kib} KiB`, plain.length, times, () => key.seal(nonce, plain));
    bytesRow(`seal ${kib} KiB into a buffer`, plain.length, times, () => key.sealInto(nonce, plain, nonce, target, 0));
    bytesRow(`open ${kib} KiB`, plain.length, times, () => key.open(sealed));
  }
}

function chunking(): void {
  const content = systemRandom(64 * 1024 * 1024);
  for (const engine of ['fastest', 'script'] as const) {
    const chunker = new Chunker(systemRandom(32), engine);
    bytesRow(`chunk, from memory (${engine})`, content.length, 1, () => chunker.cuts(content));
  }
  bytesRow('SHA-256 of 64 KiB, for scale', 65536, 1000, () => hash('sha256', content.subarray(0, 65536), 'buffer'));
}

function ids(): void {
  for (const count of [100_000, 1_000_000]) {
    const all = systemRandom(24 * count);
    const absent = systemRandom(24 * count);
    const table = new IdTable();
    const each = (work: (offset: number, i: number) => void) => (): void => {
      for (let i = 0; i < count; i++) work(24 * i, i);
    };
    row(`id table of ${count}: build`, count / 1e6, 'M', () => {
      const fresh = new IdTable();
      each((offset, i) => fresh.set(all, offset, i))();
    });
    each((offset, i) => table.set(all, offset, i))();
    row(`id table of ${count}: known`, count / 1e6, 'M', each((offset) => table.get(all, offset)));
    row(`id table of ${count}: unknown`, count / 1e6, 'M', each((offset) => table.get(absent, offset)));
  }
}

function madeUpMails(count: number): Buffer[] {
  const text = 'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut\r\n';
  return Array.from({ length: count }, (_, i) => {
    const head = `Subject: ${i}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n`;
    const body = `Content-Transfer-Encoding: 8bit\r\n\r\n${text.repeat(150 + (i % 100))}--b`;
    if (i % 3 !== 0) return Buffer.from(`${head}${body}--\r\n`);
    const lines = systemRandom(20_000 + (i % 7) * 1000).toString('base64').replace(/.{76}/g, '$&\r\n');
    return Buffer.from(`${head}${body}\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines}\r\n--b--\r\n`);
  });
}

function readMails(directory: string, count: number): Buffer[] {
  const names = globSync('**/*.eml', { cwd: directory }).toSorted().slice(0, count);
  return names.map((name) => readFileSync(join(directory, name)));
}

interface Mails {
  /** What the mails hold once, bodies first, each kind for its own frames. */
  readonly streams: readonly (readonly Buffer[])[];
  readonly bytes: number;
}

function parts(mails: readonly Buffer[]): Mails {
  const bytes = mails.reduce((sum, mail) => sum + mail.length, 0);
  const target = Buffer.alloc(Math.max(...mails.map((mail) => mail.length)));
  const perMail = (seconds: number): string => `${((seconds / mails.length) * 1e6).toFixed(2)} us a mail`;
  const split = (room?: Buffer) => (): void => mails.forEach((mail) => splitParts(mail, room));
  row('split mails, into one buffer', bytes / MB, 'MB', split(target), perMail(measure(split(target))));
  row('split mails, fresh buffers', bytes / MB, 'MB', split(), perMail(measure(split())));

  const found: Base64Part[] = [];
  const bodies: Buffer[] = [];
  const attachments = new Map<string, Buffer>();
  for (const mail of mails) {
    for (const part of splitParts(mail) ?? [{ kind: 'raw', start: 0, end: mail.length } as const]) {
      if (part.kind === 'raw') bodies.push(mail.subarray(part.start, part.end));
      else attachments.set(hash('sha256', part.decoded), part.decoded);
      if (part.kind === 'base64') found.push(part);
    }
  }
  const lengths = found.map((part) => encodedLength(part.decoded.length, part.layout));
  const encoded = lengths.reduce((sum, length) => sum + length, 0);
  const again = Buffer.alloc(Math.max(...lengths));
  const script = scriptLineCodec();
  for (const [name, codec] of [['kernel', undefined], ['script', script]] as const) {
    row(`encode base64 lines (${name})`, encoded / MB, 'MB', () =>
      found.forEach((part) => encodeBase64Lines(part.decoded, part.layout, again, 0, codec)),
    );
  }
  const all = `${mails.length} mails, ${(bytes / MB).toFixed(1)} MB`;
  console.log(`${all}, ${found.length} parts, ${attachments.size} of them unlike`);
  return { streams: [bodies, [...attachments.values()]], bytes };
}

function framesOf(blobs: readonly Buffer[], size: number): Buffer[] {
  const all = Buffer.concat(blobs);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
}

type Params = Record<number, number>;

const level = (number: number): Params => ({ [constants.ZSTD_c_compressionLevel]: number });
const fast = (hashLog: number, minMatch: number): Params => ({
  ...level(1),
  [constants.ZSTD_c_strategy]: constants.ZSTD_fast,
  [constants.ZSTD_c_hashLog]: hashLog,
  [constants.ZSTD_c_minMatch]: minMatch,
});
const SETTINGS: readonly (readonly [name: string, params: Params])[] = [
  ['level 1', level(1)],
  ['fast, hash 15, match 6', fast(15, 6)],
  ['fast, hash 16, match 7', fast(16, 7)],
  ['level 2', level(2)],
  ['level 3', level(3)],
];

function compressing({ streams, bytes }: Mails): void {
  for (const kib of [512, 1024, 2048]) {
    const frames = streams.flatMap((blobs) => framesOf(blobs, kib * 1024));
    // Room for the worst case, so that zstd writes the whole frame at once.
    const pack = (frame: Buffer, params: Params): Buffer =>
      zstdCompressSync(frame, { params, chunkSize: frame.length + (frame.length >> 8) + 1024 });
    for (const [name, given] of SETTINGS) {
      const params = { ...given, [constants.ZSTD_c_windowLog]: Math.log2(kib * 1024) };
      const packed = frames.map((frame) => Buffer.from(pack(frame, params)));
      const size = packed.reduce((sum, frame) => sum + frame.length, 0);
      const note = `of the mails; ${(size / bytes).toFixed(4)} of their size`;
      row(`zstd ${name}, ${kib} KiB`, bytes / MB, 'MB', () => frames.forEach((frame) => pack(frame, params)), note);
      if (name !== 'level 2') continue;
      row(`  decompress`, bytes / MB, 'MB', () =>
        packed.forEach((frame) => zstdDecompressSync(frame, { chunkSize: kib * 1024 })),
      );
    }
  }
}

const [directory, count = '8000'] = process.argv.slice(2);
sealing();
chunking();
ids();
compressing(parts(directory === undefined ? madeUpMails(Number(count)) : readMails(directory, Number(count))));
