import { expect, test } from 'vitest';
import { Chunker } from './chunker.ts';
import { FileSteps } from './fileSteps.ts';
import { decodeOps, decodeRecipe, encodeOps, type BlobRef } from './recipe.ts';

const SHA = 's'.repeat(32);

function blob(i: number): BlobRef {
  const id = Buffer.alloc(24, 'chunk');
  id.writeUInt32LE(Math.imul(i, 0x9E3779B1) >>> 0);
  return { id: id.toString('latin1'), length: 60_000 + (i % 10_000) };
}

/** The steps of a file of `count` chunks as they were stored, the recipe, and the most bytes that one `settle` gave out. */
function stepsOf(count: number): { recipe: string; stored: Buffer[]; most: number } {
  const stored: Buffer[] = [];
  const steps = new FileSteps(new Chunker(new Uint8Array(32)), (bytes) => {
    stored.push(Buffer.from(bytes));
    return { id: String(stored.length).padStart(24, '0'), length: bytes.length };
  });
  let most = 0;
  for (let i = 0; i < count; i++) {
    steps.add(blob(i));
    const before = stored.length;
    steps.settle();
    most = Math.max(most, stored.slice(before).reduce((sum, bytes) => sum + bytes.length, 0));
  }
  return { recipe: steps.recipe(SHA), stored, most };
}

const blobs = (count: number): BlobRef[] => Array.from({ length: count }, (_, i) => blob(i));

test('few chunks stay in the recipe', () => {
  const { recipe, stored } = stepsOf(70);
  expect(stored).toEqual([]);
  expect(decodeRecipe(recipe)).toEqual({ type: 'ops', sha256: SHA, ops: [{ blobs: blobs(70) }] });
});

test('more are one stored step', () => {
  const { recipe, stored } = stepsOf(300);
  expect(stored).toEqual([Buffer.from(encodeOps([{ blobs: blobs(300) }]), 'latin1')]);
  expect(decodeRecipe(recipe)).toEqual({ type: 'stored', sha256: SHA, ops: [{ id: '1'.padStart(24, '0'), length: stored[0]?.length }] });
});

test.each([65_535, 65_536, 400_000])('the steps of %i chunks are stored as they come, and cut as if they had come at once', (count) => {
  const { recipe, stored, most } = stepsOf(count);
  const whole = Buffer.concat(stored);
  expect(decodeOps(whole.toString('latin1')).flatMap((op) => op.blobs)).toEqual(blobs(count));
  let start = 0;
  const cut = new Chunker(new Uint8Array(32)).cuts(whole).map((end) => whole.subarray(start, (start = end)).length);
  expect(stored.map((bytes) => bytes.length)).toEqual(cut);
  expect(decodeRecipe(recipe)).toMatchObject({ type: 'stored', ops: cut.map((length) => ({ length })) });
  expect(most).toBeLessThan(4 * 1024 * 1024);
});
