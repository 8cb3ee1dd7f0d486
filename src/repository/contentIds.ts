import type { ItemRow } from '../domain/index.ts';
import { BlobReader } from './blobReader.ts';
import type { EntityRecord } from './entityKeys.ts';
import { decodeRecipe, ID_LENGTH, recipeIds, type Recipe } from './recipe.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/** Ids of all blobs that the rows' contents need, in batches of 24 bytes an id. Recipes kept in blobs are read. */
export async function* contentIds(
  context: RepositoryContext, entity: EntityRecord, rows: readonly Pick<ItemRow, 'content'>[], signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const reader = new BlobReader(context, entity);
  try {
    const ids: string[] = [];
    for (const { content } of rows) {
      if (content === '') continue;
      const recipe = decodeRecipe(content);
      ids.push(...recipeIds(recipe));
      if (recipe.type === 'stored') ids.push(...(await storedIds(reader, recipe, signal)));
      if (ids.length >= 4096) yield packed(ids.splice(0));
    }
    if (ids.length > 0) yield packed(ids);
  } finally {
    await reader.close();
  }
}

async function storedIds(reader: BlobReader, recipe: Extract<Recipe, { type: 'stored' }>, signal?: AbortSignal): Promise<string[]> {
  return (await reader.ops(recipe, signal)).flatMap((op) => op.blobs.map((ref) => ref.id));
}

function packed(ids: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(ids.length * ID_LENGTH);
  ids.forEach((id, i) => bytes.write(id, i * ID_LENGTH, 'latin1'));
  return bytes;
}
