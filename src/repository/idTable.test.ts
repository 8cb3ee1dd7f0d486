import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdTable } from './idTable.ts';

const idOf = (n: number): Buffer => createHash('sha256').update(String(n)).digest().subarray(0, 24);

test('answers as a map does, whatever is set in which order', () => {
  // Few distinct bytes: ids that begin alike and share slots are the rule.
  const id = fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { minLength: 24, maxLength: 24 });
  const alike = fc.tuple(fc.constantFrom(0, 0x80, 0xff), fc.nat(255)).map(([a, b]) => [...Buffer.alloc(23, a), b]);
  const value = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat());
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.oneof(id, alike), value), { maxLength: 200 }), fc.nat(9), (entries, offset) => {
      const table = new IdTable();
      const model = new Map<string, number>();
      for (const [bytes, number] of entries) {
        const held = Buffer.from([...Buffer.alloc(offset, 9), ...bytes, 9]);
        expect(table.get(held, offset)).toBe(model.get(Buffer.from(bytes).toString('hex')) ?? -1);
        table.set(held, offset, number);
        model.set(Buffer.from(bytes).toString('hex'), number);
        expect(table.get(held, offset)).toBe(number);
      }
      expect(table.size).toBe(model.size);
      const listed = Array.from(table.sorted(), (entry) => [entry.id.toString('hex'), entry.value]);
      expect(listed).toEqual([...model].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
});

test('grows over many pages and keeps everything', () => {
  const count = 100_000;
  const table = new IdTable();
  for (let i = 0; i < count; i++) table.set(idOf(i), 0, i);
  expect(table.size).toBe(count);
  let wrong = 0;
  for (let i = 0; i < count; i++) if (table.get(idOf(i), 0) !== i) wrong++;
  for (let i = count; i < 2 * count; i++) if (table.get(idOf(i), 0) !== -1) wrong++;
  let last = '';
  for (const { id } of table.sorted()) {
    const text = id.toString('latin1');
    if (text <= last) wrong++;
    last = text;
  }
  expect(wrong).toBe(0);
});

test('takes at most 45 bytes an entry just after growing, and refuses a short id', () => {
  const table = new IdTable();
  const before = process.memoryUsage().arrayBuffers;
  const count = 400_000;
  const ids = Buffer.alloc(24 * count);
  for (let i = 0; i < count; i++) ids.writeUInt32LE(Math.imul(i, 0x9e3779b1) >>> 0, 24 * i);
  for (let i = 0; i < count; i++) table.set(ids, 24 * i, i);
  globalThis.gc?.();
  const used = process.memoryUsage().arrayBuffers - before - ids.length;
  expect(table.size).toBe(count);
  // Without gc() the outgrown slots (as many again, at most) may still be counted.
  expect(used / count).toBeLessThan(globalThis.gc ? 45 : 56);
  expect(() => table.set(Buffer.alloc(23), 0, 1)).toThrow(RangeError);
});
