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
    const value = JSON.stringify({ i, text: 'ä\n\t\u2028' });
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
