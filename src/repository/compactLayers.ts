import type { RepositoryContext } from './repositoryContext.ts';
import { LayerWriter, type Layer, type SegmentRef } from './segment.ts';
import { StateCursor, type SegmentSource } from './state.ts';

/** Patches beyond this number are merged into one. */
const MOST_PATCHES = 64;
/** Patches beyond this share of the base's bytes make a new base. */
const BASE_SHARE = 0.25;
/** Below this many bytes of patches a new base is not worth its write. */
const SMALL = 256 * 1024;

const bytesOf = (layer: Layer): number => layer.reduce((sum, ref) => sum + ref.size, 0);

/**
 * The layers as a manifest should name them. Merging writes new segments; the old ones stay for the snapshots that name them.
 * Streams: memory is one block a layer.
 * @param made receives the new segments, also where it fails.
 */
export async function compactLayers(
  context: RepositoryContext, source: SegmentSource, layers: readonly Layer[], made: SegmentRef[], signal?: AbortSignal,
): Promise<readonly Layer[]> {
  const [base, ...patches] = layers;
  if (!base || patches.length === 0) return layers;
  const patchBytes = patches.reduce((sum, patch) => sum + bytesOf(patch), 0);
  if (patchBytes > SMALL && patchBytes > bytesOf(base) * BASE_SHARE) return [await merged(context, source, layers, { showRemoved: false, made }, signal)];
  if (patches.length <= MOST_PATCHES) return layers;
  return [base, await merged(context, source, patches, { showRemoved: true, made }, signal)];
}

async function merged(
  context: RepositoryContext, source: SegmentSource, layers: readonly Layer[],
  { showRemoved, made }: { readonly showRemoved: boolean; readonly made: SegmentRef[] }, signal?: AbortSignal,
): Promise<Layer> {
  const writer = new LayerWriter(context.storage, context.keyring, source.tag, context.clock, context.random);
  const cursor = new StateCursor(source, layers, signal, showRemoved);
  try {
    await cursor.seek('');
    while (cursor.key !== undefined) {
      await writer.add(cursor.change, signal);
      if (!cursor.step()) await cursor.finish();
    }
    await writer.flush(signal);
    return writer.refs;
  } finally {
    made.push(...writer.refs);
  }
}
