import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ItemRow, RowChange } from '../domain/index.ts';
import { systemClock, systemRandom } from '../runtime/index.ts';
import { MemoryStorage } from '../storage/trial/index.ts';
import { Keyring } from './keyring.ts';
import { walkVisible } from './liveness.ts';
import { LayerWriter, type Layer } from './segment.ts';
import { stateRows } from './state.ts';

const keyring = Keyring.create('test', systemRandom);

function change(key: string, version: string): RowChange {
  if (version === '') return { removed: key };
  const row: ItemRow = {
    key, parent: '', name: key, kind: 'file', size: 1, modified: null, change: version, meta: '', outcome: '', content: '',
  };
  return { row };
}

/** A layer: key → version, '' for removed. */
const layers = fc.array(fc.dictionary(fc.constantFrom(...'abcdefghij'), fc.constantFrom('', '1', '2', '3'), { minKeys: 0, maxKeys: 8 }), { minLength: 1, maxLength: 6 });
/** Roots name some of the layers, in their order. */
const roots = fc.array(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 5 });

test('each version that some root shows is visited once, with the roots that show it', async () => {
  await fc.assert(fc.asyncProperty(layers, roots, async (contents, masks) => {
    const storage = new MemoryStorage();
    const source = { storage, keyring, tag: 'tag' };
    const written: Layer[] = [];
    for (const content of contents) {
      const writer = new LayerWriter(storage, keyring, 'tag', systemClock, systemRandom);
      for (const key of Object.keys(content).sort()) await writer.add(change(key, content[key] ?? ''));
      await writer.flush();
      written.push(writer.refs);
    }
    const named = masks.map((mask) => written.filter((layer, i) => mask[i] && layer.length > 0));
    const wanted: string[] = [];
    for (const [root, own] of named.entries()) {
      for await (const rows of stateRows(source, own)) for (const row of rows) wanted.push(`${row.key} ${row.change} ${root}`);
    }
    const seen: string[] = [];
    let visits = 0;
    await walkVisible(source, named, (row, showing) => {
      visits++;
      for (const root of showing) seen.push(`${row.key ?? ''} ${row.changeKey} ${root}`);
      return undefined;
    });
    expect(seen.sort()).toEqual(wanted.sort());
    // Never more visits than rows in the layers: shared layers are walked once.
    expect(visits).toBeLessThanOrEqual(contents.reduce((sum, content) => sum + Object.keys(content).length, 0));
  }), { numRuns: 150 });
});
