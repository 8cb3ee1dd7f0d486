import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SortedSpool } from './sortedSpool.ts';

test.each([['all in memory', 1 << 20], ['much of it on disk', 2000], ['nearly each on disk', 400]])('gives back what was added by key, in the order of adding: %s', async (_name, most) => {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const spool = new SortedSpool(folder, 'test', most);
  const expected = new Map<string, string[]>();
  const adding: Promise<void>[] = [];
  for (let i = 0; i < 300; i++) {
    const key = `k${(i * 7919) % 101}`;
    // One is longer than what is read at once.
    const value = JSON.stringify({ i, text: 'ä\n\t\u2028'.repeat(i === 150 ? 100_000 : 1) });
    expected.set(key, [...expected.get(key) ?? [], value]);
    adding.push(spool.add(key, value));
    if (i % 5 === 0) await Promise.all(adding.splice(0));
  }
  await Promise.all(adding);
  expect(spool.length).toBe(300);
  const found: [string, string[]][] = [];
  for await (const { key, values } of spool.groups()) found.push([key, [...values]]);
  expect(found).toEqual([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
  await spool.remove();
  expect(readdirSync(folder)).toEqual([]);
});

test('what is read in part leaves no file open, may be read again, and takes more afterwards', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const spool = new SortedSpool(folder, 'test', 500);
  const fill = async (from: number): Promise<void> => { for (let i = from; i < from + 100; i++) await spool.add(`k${i % 50}`, JSON.stringify({ i })); };
  const keys = async (): Promise<number> => {
    let count = 0;
    for await (const { values } of spool.groups()) count += values.length;
    return count;
  };
  await fill(0);
  for await (const { key } of spool.groups()) if (key === 'k10') break;
  await expect.poll(open).toBe(before);
  expect(await keys()).toBe(100);
  await fill(100);
  expect(await keys()).toBe(200);
  await spool.remove();
});
