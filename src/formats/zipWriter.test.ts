import { afterAll, expect, test } from 'vitest';
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesBelow, testZip, unpackZip } from '../../tests/export/readers.ts';
import { packContent } from './zipContent.ts';
import type { ZipEntry } from './zipRecords.ts';
import { ZipWriter, type ZipWriterOptions } from './zipWriter.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-zip-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;

const file = (name: string, more: Partial<ZipEntry> = {}): ZipEntry => ({ name, kind: 'file', modified: null, ...more });

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** Makes a ZIP and gives its path; what was told of its length beforehand holds. */
async function makeZip(fill: (zip: ZipWriter) => Promise<void>, options: ZipWriterOptions = {}): Promise<string> {
  const parts: Uint8Array[] = [];
  const zip = new ZipWriter(async (bytes) => { parts.push(Uint8Array.from(bytes)); }, options);
  await fill(zip);
  const most = zip.length;
  await zip.finish();
  const bytes = Buffer.concat(parts);
  expect(bytes.length).toBeLessThanOrEqual(most);
  const path = join(directory, `${made++}.zip`);
  writeFileSync(path, bytes);
  return path;
}

const CONTENTS: Readonly<Record<string, Buffer>> = {
  'empty': Buffer.alloc(0), 'one byte': Buffer.from('x'), 'text.txt': Buffer.from('hello '.repeat(50_000)), 'noise': randomBytes(300_000),
  'Grüße/日本語 😀.txt': Buffer.from('names are UTF-8'), 'a/b/c/d': Buffer.from('deep'), "quote's & $dollar": Buffer.from('shell'),
};

test.each([
  { forceZip64: false, streamed: false }, { forceZip64: false, streamed: true }, { forceZip64: true, streamed: false }, { forceZip64: true, streamed: true },
])('unzip, 7z and Python read every content back: %j', async ({ forceZip64, streamed }) => {
  const path = await makeZip(async (zip) => {
    for (const [name, bytes] of Object.entries(CONTENTS)) {
      if (streamed) await zip.stream(file(name), bytes.length, inPieces(bytes, 70_000));
      else await zip.content(file(name), await packContent(bytes));
    }
  }, { forceZip64 });
  await testZip(path);
  for (const program of ['unzip', '7z'] as const) {
    const to = `${path}-${program}`;
    await unpackZip(program, path, to);
    expect(filesBelow(to)).toEqual(Object.keys(CONTENTS).sort());
    for (const [name, bytes] of Object.entries(CONTENTS)) expect(readFileSync(join(to, name)).equals(bytes), name).toBe(true);
  }
  const bytes = readFileSync(path);
  const marks = [0x0606_4b50, 0x0706_4b50].map((mark) => {
    const record = Buffer.alloc(4);
    record.writeUInt32LE(mark);
    return bytes.includes(record);
  });
  expect(marks).toEqual([forceZip64, forceZip64]);
});

test('modes, times and links come back with unzip, to the second, whatever the time zone', async () => {
  const modified = Date.UTC(2021, 6, 3, 12, 34, 57);
  const path = await makeZip(async (zip) => {
    await zip.folder({ name: 'd', kind: 'folder', modified, mode: 0o751 });
    await zip.content(file('d/run', { modified, mode: 0o755 }), await packContent(Buffer.from('#!')));
    await zip.content(file('private', { modified: Date.UTC(1960, 0) }), await packContent(Buffer.from('old')));
    await zip.content(file('far', { modified: Date.UTC(2200, 0) }), await packContent(Buffer.from('far')));
    await zip.content({ name: 'link', kind: 'link', modified }, await packContent(Buffer.from('d/run')));
  });
  const to = `${path}-out`;
  await unpackZip('unzip', path, to);
  const seen = (name: string): unknown => {
    const { mode, mtimeMs } = lstatSync(join(to, name));
    return [(mode & 0o7777).toString(8), mtimeMs];
  };
  expect(seen('d')).toEqual(['751', modified]);
  expect(seen('d/run')).toEqual(['755', modified]);
  // Of the years before 1980 unzip shows none.
  expect(seen('private')).toEqual(['600', Date.UTC(1980, 0)]);
  expect(readlinkSync(join(to, 'link'))).toBe('d/run');
  expect(readFileSync(join(to, 'far'), 'utf8')).toBe('far');
});

test('an empty ZIP is the end alone', async () => {
  expect(readFileSync(await makeZip(async () => undefined))).toHaveLength(22);
});

test('what does not become smaller is stored; a source that fails makes the entry fail', async () => {
  expect(await packContent(randomBytes(100_000))).toMatchObject({ method: 0, size: 100_000 });
  expect(await packContent(Buffer.alloc(100_000))).toMatchObject({ method: 8, size: 100_000 });
  for (const start of [Buffer.alloc(200_000), randomBytes(200_000)]) {
    async function* failing(): AsyncGenerator<Buffer> {
      yield start;
      yield start;
      throw new Error('the source is gone');
    }
    await expect(makeZip((zip) => zip.stream(file('x'), 1e6, failing()))).rejects.toThrow('the source is gone');
  }
});

test('bytes are asked for only as fast as they are taken', async () => {
  let asked = 0;
  let closed = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        asked++;
        yield randomBytes(65_536).fill(0, 0, 40_000);
      }
    } finally {
      closed = true;
    }
  }
  let taken = 0;
  const zip = new ZipWriter(async (bytes) => {
    taken += bytes.length;
    if (taken > 2_000_000) throw new Error('full');
  });
  await expect(zip.stream(file('x'), 1e9, endless())).rejects.toThrow('full');
  expect(asked).toBeLessThan(120);
  await expect.poll(() => closed).toBe(true);
});
