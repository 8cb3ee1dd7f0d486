import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chunkerWasmSource } from './buildChunker.ts';

test('chunkerWasm.ts is what chunker.wat builds to', async () => {
  const committed = new URL('../src/repository/chunkerWasm.ts', import.meta.url);
  expect(readFileSync(committed, 'utf8')).toBe(await chunkerWasmSource());
});
