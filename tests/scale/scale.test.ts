import { expect, test } from 'vitest';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { catalogGrowth } from './catalogGrowth.ts';
import { backupMemory, exportMemory } from './flatMemory.ts';
import { indexFigures } from './indexMemory.ts';

// The full sizes are soaks: tests/soak. Here each is small, and what it shows is that the measuring works and nothing is wildly off.

test('a backup of tens of thousands of items stays within what one of a million may take', async () => {
  const { items, status, peakMiB } = await backupMemory(20_000);
  expect([items, status]).toEqual([20_000, 'complete']);
  expect(peakMiB).toBeLessThan(280);
});

test('an export of tens of thousands of items stays within what one of a million may take', async () => {
  const { items, missing, parts, peakMiB } = await exportMemory(15_000, 'zip');
  expect([items, missing, parts]).toEqual([15_000, 0, 1]);
  expect(peakMiB).toBeLessThan(350);
});

test('10 changes in 10,000 items store a few kilobytes of catalog', async () => {
  const growth = await catalogGrowth(10_000, 10, new MemoryStorage());
  expect(growth).toMatchObject({ items: 10_000, changed: 10, fetched: 10 });
  expect(growth.segmentBytes).toBeGreaterThan(0);
  // 200 KB for 1,000 changes, and the frame of one segment.
  expect(growth.segmentBytes).toBeLessThan(2000 + 2000);
  expect(growth.recordBytes - growth.segmentBytes).toBeLessThan(4096);
});

test('an index of 200,000 blobs in ten segments finds all that it holds and nothing else', async () => {
  const { blobs, falseAlarmRate, peakMiB, beforeMiB, claims } = await indexFigures(200_000, 20_000);
  expect([blobs, claims]).toEqual([200_000, 200_000]);
  expect(falseAlarmRate).toBeLessThan(0.02);
  expect(peakMiB - beforeMiB).toBeLessThan(60);
});
