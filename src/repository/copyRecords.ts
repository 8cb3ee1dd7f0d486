import { isHoldfastError } from '../domain/index.ts';
import { comparedListings } from './comparedListings.ts';
import type { CopyView } from './copyView.ts';
import { inLanes } from './inLanes.ts';
import { tagAndId } from './roots.ts';
import { isUnreadable, openJson } from './sealedObject.ts';

/** Small objects in work at once. */
export const RECORD_LANES = 4;

/**
 * Copies the records under a prefix that the copy lacks; those that cannot be opened are named and left out.
 * @returns the tags (second parts of the names) of all that stand in the copy now.
 */
export async function copyRecords(view: CopyView, prefix: 'entities/' | 'removals/' | 'settings/'): Promise<Set<string>> {
  const tags = new Set<string>();
  const { source, target, signal } = view;
  await inLanes(comparedListings(source.storage, target.storage, prefix, signal), RECORD_LANES, async ({ name, source: there, target: here }) => {
    if (here || (there && await copyRecord(view, name))) tags.add(tagAndId(name).tag);
  });
  return tags;
}

/** False where it cannot be opened, or went meanwhile: an erasure puts another entity record in the place of an older one. */
export async function copyRecord(view: CopyView, name: string): Promise<boolean> {
  let bytes: Uint8Array;
  try {
    bytes = await view.get(name);
    openJson(name, bytes, view.source.keyring.metaOf);
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/not-found') return false;
    if (!isHoldfastError(error) || !isUnreadable(error)) throw error;
    view.findError(name, error);
    return false;
  }
  await view.put(name, bytes);
  return true;
}
