import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Soak } from '../../tools/soak.ts';
import { runBackup } from '../../src/backup/index.ts';
import { descriptor, openSource } from '../../src/connectors/folder/index.ts';
import { ZipWriter, packContent } from '../../src/formats/index.ts';
import { exportSnapshot } from '../../src/recovery/index.ts';
import { systemClock } from '../../src/runtime/index.ts';
import { FileSink, FileStorage } from '../../src/storage/index.ts';
import { readManifest, readZip, sha256Of, testZip } from '../export/readers.ts';
import { never, ScratchRepository, unheard } from '../roundTrip/scratchRepository.ts';
import { inScratch } from '../scale/runNode.ts';

/** Smaller ones show that it works. */
const FILES = Number(process.env['HOLDFAST_SOAK_FILES'] ?? 70_000);
const LARGE = Number(process.env['HOLDFAST_SOAK_BYTES'] ?? 4_400_000_000);
const MIB = 1024 * 1024;

/** ZIPs past every limit of the old format: an entry and an offset of more than 4 GiB, more than 65,535 entries. */
export const soak: Soak = {
  name: 'exportZip',
  run: async () => await inScratch(async (directory) => {
    const flow = await exportLargeTree(directory);
    await writeLargeOffset(join(directory, 'offset'));
    return `${flow}; a stored entry of ${LARGE / 1e9} GB and 1,000 behind it are read by unzip, 7z and Python`;
  }),
};

/** One file of more than 4 GiB, mostly a hole, and many small ones, from a snapshot. */
async function exportLargeTree(directory: string): Promise<string> {
  const tree = join(directory, 'tree');
  for (let i = 0; i < 100; i++) await mkdir(join(tree, 'many', String(i)), { recursive: true });
  for (let i = 0; i < FILES; i++) await writeFile(join(tree, 'many', String(i % 100), String(i)), `file ${i}`);
  const file = await open(join(tree, 'large'), 'w');
  for (let at = 200_000_000; at < LARGE; at += 400_000_000) await file.write(randomFillSync(Buffer.alloc(MIB)), 0, MIB, at);
  await file.truncate(LARGE);
  await file.close();
  await mkdir(join(directory, 'repository'));
  using scratch = await ScratchRepository.make(await FileStorage.open(join(directory, 'repository')));
  const source = await openSource({ path: tree });
  const manifest = await runBackup(scratch.repository, source, { signal: never, progress: unheard, clock: systemClock });
  await source.close();
  const to = join(directory, 'out');
  const report = await exportSnapshot(scratch.repository, manifest, {
    sink: new FileSink(to), format: 'zip', descriptor, partSize: 20e9, signal: never, progress: unheard,
  });
  assert.deepEqual([report.items, report.missing, report.parts.length], [FILES + 1, 0, 1]);
  const zip = join(to, 'export-0001.zip');
  assert.equal(await sha256Of(zip), report.parts[0]?.sha256);
  await testZip(zip);
  const items = readManifest(to).filter(({ type }) => type === 'item');
  const sum = await sha256Of(join(tree, 'large'));
  assert.equal(items.find(({ entry }) => entry === 'large')?.sha256, sum);
  for (const program of ['unzip', '7z'] as const) assert.equal(await unpackedSum(program, zip, 'large'), sum, program);
  const told = new Map(items.map(({ entry, size, sha256 }) => [entry, `${size} ${sha256}`]));
  const read = await readZip(zip);
  assert.equal(read.length, FILES + 1);
  for (const { file: entry, size, sha256 } of read) assert.equal(`${size} ${sha256}`, told.get(entry), entry);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  return `a file of ${LARGE / 1e9} GB and ${FILES} small ones in one ZIP: Python reads each equal, unzip and 7z the large one (peak of the process, backup included: ${peak} MiB)`;
}

/** The content of one entry as a program gives it. */
async function unpackedSum(program: 'unzip' | '7z', zip: string, entry: string): Promise<string> {
  const args = program === 'unzip' ? ['-p', zip, entry] : ['x', '-so', '-bd', zip, entry];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const sum = createHash('sha256');
  for await (const piece of child.stdout) sum.update(piece as Buffer);
  return sum.digest('hex');
}

/** What cannot be made smaller, so that what follows it lies behind 4 GiB. */
async function writeLargeOffset(to: string): Promise<void> {
  const sink = new FileSink(to);
  await sink.claim({ signal: never });
  const writer = await sink.open('large.zip', { signal: never });
  const zip = new ZipWriter((bytes) => writer.write(bytes));
  const noise = randomFillSync(Buffer.alloc(4 * MIB));
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let done = 0; done < LARGE; done += noise.length) yield noise;
  }
  await zip.stream({ name: 'noise', kind: 'file', modified: 0 }, LARGE, pieces());
  for (let i = 0; i < 1000; i++) await zip.content({ name: `behind/${i}`, kind: 'file', modified: 0 }, await packContent(Buffer.from(`file ${i}`)));
  await zip.finish();
  await writer.finish();
  await testZip(join(to, 'large.zip'));
}
