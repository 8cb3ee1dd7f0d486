import type { ItemRow } from '../domain/index.ts';
import type { BlobReader } from './blobReader.ts';
import { decodeRecipe, ID_LENGTH, recipeIds, type Recipe } from './recipe.ts';

/** Ids handed on at once. */
const BATCH = 4096;

/** Ids of all blobs that the rows' contents need, in batches of 24 bytes an id. Recipes kept in blobs are read. */
export async function* contentIds(
  reader: BlobReader, rows: readonly Pick<ItemRow, 'content'>[], signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let ids: string[] = [];
  for (const { content } of rows) {
    if (content === '') continue;
    for await (const id of allIds(reader, decodeRecipe(content), signal)) {
      ids.push(id);
      if (ids.length < BATCH) continue;
      yield packed(ids);
      ids = [];
    }
  }
  if (ids.length > 0) yield packed(ids);
}

async function* allIds(reader: BlobReader, recipe: Recipe, signal?: AbortSignal): AsyncGenerator<string> {
  yield* recipeIds(recipe);
  if (recipe.type !== 'stored') return;
  for (const op of await reader.ops(recipe, signal)) for (const ref of op.blobs) yield ref.id;
}

function packed(ids: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(ids.length * ID_LENGTH);
  ids.forEach((id, i) => bytes.write(id, i * ID_LENGTH, 'latin1'));
  return bytes;
}
