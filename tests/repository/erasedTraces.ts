import type { Storage } from '../../src/storage/index.ts';
import { objectsOf } from '../format/compareSample.ts';
import { IndependentReader } from '../format/independentReader.ts';
import { readOps, readRecipe } from '../format/independentRows.ts';
import { OPERATOR_KEY } from './fixture.ts';
import { bytesOf, type TreeFile } from './tree.ts';

/** Pieces of an item that would betray it: its name, and its content at several places. */
export function tracesOf(name: string, file: TreeFile): Buffer[] {
  const bytes = bytesOf(file);
  // Of a mail only the text stands as it is: attachments are decoded.
  const shares = file.content.startsWith('m') ? [0] : [0, 0.3, 0.5, 0.9];
  const at = shares.map((share) => Math.floor(share * Math.max(0, bytes.length - 48)));
  return [Buffer.from(name), ...at.map((start) => bytes.subarray(start, start + 48))];
}

/** Ids of all blobs that a row of the entity is made of. */
export async function blobIdsOf(storage: Storage, entity: string, key: string): Promise<Buffer[]> {
  const reader = new IndependentReader(await objectsOf(storage), OPERATOR_KEY);
  const { tag = '' } = reader.entities().find(({ id }) => id === entity) ?? {};
  const ids = new Set<string>();
  for (const row of reader.snapshots(tag).flatMap((manifest) => reader.rows(manifest)).filter((one) => one.key === key && one.content !== '')) {
    const recipe = readRecipe(row.content);
    if (recipe.kind === 'blob') ids.add(recipe.id);
    if (recipe.kind === 'ops') for (const op of recipe.ops) for (const blob of op.blobs) ids.add(blob.id);
    if (recipe.kind === 'stored') {
      for (const blob of recipe.blobs) ids.add(blob.id);
      for (const op of readOps(reader.blobs(tag, recipe.blobs))) for (const blob of op.blobs) ids.add(blob.id);
    }
  }
  return [...ids].map((id) => Buffer.from(id, 'hex'));
}

/**
 * Opens every object with every key that there ever was, by the document alone. @returns where something was found, and how much was opened.
 * `keysBefore`: objects of entities, keys and epochs as they stood before.
 */
export async function searchEverything(
  storage: Storage, traces: readonly Buffer[], keysBefore: ReadonlyMap<string, Buffer>,
): Promise<{ found: string[]; opened: number; unopened: string[] }> {
  const objects = await objectsOf(storage);
  const reader = new IndependentReader(new Map([...keysBefore, ...objects]), OPERATOR_KEY);
  const found: string[] = [];
  const unopened: string[] = [];
  let opened = 0;
  for (const [name, bytes] of objects) {
    let parts: Buffer[];
    try {
      parts = [Buffer.from(name), bytes, ...reader.opened(name)];
    } catch {
      unopened.push(name);
      continue;
    }
    for (const part of parts) {
      opened += part.length;
      for (const trace of traces) {
        // JSON has byte strings with a character for each byte.
        if (part.includes(trace) || part.includes(Buffer.from(trace.toString('latin1')))) found.push(`${name}: ${trace.toString('latin1', 0, 24)}`);
      }
    }
  }
  return { found, opened, unopened };
}

/** The objects that hold keys. */
export async function keyObjects(storage: Storage): Promise<Map<string, Buffer>> {
  return new Map([...(await objectsOf(storage))].filter(([name]) => /^(entities|keys|epochs|config)/.test(name)));
}
