import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openSink } from './openStorage.ts';
import type { ObjectSink } from './objectSink.ts';

const signal = new AbortController().signal;

function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-sink-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function claimed(path: string): Promise<ObjectSink> {
  const sink = await openSink(path);
  await sink.claim({ signal });
  return sink;
}

const below = (path: string): string[] => readdirSync(path, { recursive: true }).map(String).sort();

test('an object has its name only when it is finished, with all that was written in order', async () => {
  const path = join(scratch(), 'new', 'folder');
  const sink = await claimed(path);
  const writer = await sink.open('a/b/Grüße.txt', { signal });
  const parts = Array.from({ length: 3000 }, (_, i) => Buffer.from(`${i} `.repeat(i % 400)));
  for (const part of parts) await writer.write(part);
  expect(below(path)).toEqual(['a', 'a/b', 'a/b/Grüße.txt.partial']);
  await writer.finish();
  await writer.abandon();
  expect(below(path)).toEqual(['a', 'a/b', 'a/b/Grüße.txt']);
  expect(readFileSync(join(path, 'a/b/Grüße.txt')).equals(Buffer.concat(parts))).toBe(true);
  expect([statSync(join(path, 'a/b')).mode & 0o777, statSync(join(path, 'a/b/Grüße.txt')).mode & 0o777]).toEqual([0o700, 0o600]);
  await sink.settle();
});

test('objects of one folder may be opened at once', async () => {
  const path = scratch();
  const sink = await claimed(path);
  const writers = await Promise.all(Array.from({ length: 20 }, (_, i) => sink.open(`x/y/${i}`, { signal })));
  await Promise.all(writers.map(async (writer, i) => {
    await writer.write(Buffer.from(String(i)));
    await writer.finish();
  }));
  expect(readdirSync(join(path, 'x', 'y')).map((name) => readFileSync(join(path, 'x', 'y', name), 'utf8') === name)).toEqual(Array(20).fill(true));
});

test('what is abandoned leaves nothing, also after an abort', async () => {
  const path = scratch();
  const sink = await claimed(path);
  const stop = new AbortController();
  const writer = await sink.open('a', { signal: stop.signal });
  await writer.write(Buffer.from('x'));
  const reason = new Error('stop');
  stop.abort(reason);
  await expect(writer.write(Buffer.alloc(2_000_000))).rejects.toBe(reason);
  await expect(writer.finish()).rejects.toBe(reason);
  expect(below(path)).toEqual(['a.partial']);
  await writer.abandon();
  await writer.abandon();
  expect(below(path)).toEqual([]);
});

test('only an empty place is claimed, and a refused one is left as it is', async () => {
  const path = scratch();
  writeFileSync(join(path, 'file'), 'mine');
  for (const place of [path, join(path, 'file')]) {
    await expect(claimed(place)).rejects.toMatchObject({ code: 'export/not-empty', retryClass: 'input' });
    await expect(claimed(pathToFileURL(place).href)).rejects.toMatchObject({ code: 'export/not-empty' });
  }
  expect(below(path)).toEqual(['file']);
  await expect((await openSink(join(path, 'later'))).claim({ signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  expect(existsSync(join(path, 'later'))).toBe(false);
});

test('discarding takes away what this sink wrote and nothing else', async () => {
  const path = join(scratch(), 'out');
  const sink = await claimed(path);
  const whole = await sink.open('tree/whole', { signal });
  await whole.finish();
  await sink.open('tree/open', { signal });
  await sink.open('top', { signal });
  await sink.folder('empty/deep');
  const other = await openSink(path);
  // Another export that claimed the place at the same time fails at the first name that both want, and takes nothing away.
  await expect(other.open('top', { signal })).rejects.toMatchObject({ code: 'storage/bad-name' });
  await expect(other.folder('tree')).rejects.toMatchObject({ code: 'storage/bad-name' });
  await other.discard();
  expect(below(path)).toEqual(['empty', 'empty/deep', 'top.partial', 'tree', 'tree/open.partial', 'tree/whole']);
  writeFileSync(join(path, 'mine'), '');
  await sink.discard();
  expect(below(path)).toEqual(['mine']);
  rmSync(join(path, 'mine'));
  const again = await claimed(path);
  await again.discard();
  expect(existsSync(path)).toBe(true);
  rmSync(path, { recursive: true });
  await (await claimed(path)).discard();
  expect(existsSync(path)).toBe(false);
});

test.each([['', 'storage/bad-location'], ['ftp://x', 'storage/unknown-scheme'], ['file://host/x', 'storage/bad-location']])('%j is no place: %s', async (url, code) => {
  await expect(openSink(url)).rejects.toMatchObject({ code, retryClass: 'input' });
});
