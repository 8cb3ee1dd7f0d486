import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { comparedListings } from './comparedListings.ts';
import type { CopyView } from './copyView.ts';
import { readEpoch } from './epochs.ts';
import { isPrepared, names } from './names.ts';
import { isUnreadable } from './sealedObject.ts';

/**
 * Puts the epochs of the source that the copy lacks or has otherwise. One that is being prepared is nobody's yet, and may be given
 * up. Errors: `copy/target-ahead`, where the copy has an epoch of which the source knows nothing.
 */
export async function copyEpochs(view: CopyView, stillMine: () => void = () => {}): Promise<void> {
  const { source, target, signal } = view;
  for await (const { name, source: there, target: here } of comparedListings(source.storage, target.storage, names.epoch(''), signal)) {
    if (isPrepared(name)) continue;
    const bytes = await soundEpoch(view, name, !there);
    if (!bytes) continue;
    if (here && Buffer.from(await target.storage.get(name, view.options)).equals(bytes)) continue;
    stillMine();
    await view.put(name, bytes);
  }
}

/** Nothing where it is damaged. Where the source's listing lacks it, it is asked once more: a rotation may have come in between. */
async function soundEpoch(view: CopyView, name: string, unlisted: boolean): Promise<Uint8Array | undefined> {
  try {
    const bytes = await view.get(name);
    readEpoch(view.source.keyring, name, bytes);
    return bytes;
  } catch (error) {
    if (unlisted && isHoldfastError(error) && error.code === 'storage/not-found') throw epochAhead(view, name, error);
    if (!isHoldfastError(error) || !isUnreadable(error)) throw error;
    view.findError(name, error);
    return undefined;
  }
}

function epochAhead(view: CopyView, name: string, cause: unknown): HoldfastError {
  return new HoldfastError('copy/target-ahead', 'input',
    `The copy at ${view.target.storage.location} has the key epoch ${name}, which the source has not: the source was put back to an earlier state, `
    + `or has lost it. Nothing was copied. Restore from the copy, or copy to another place.`, { data: { first: name }, cause });
}
