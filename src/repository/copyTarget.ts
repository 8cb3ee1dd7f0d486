import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import { retry } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { comparedListings } from './comparedListings.ts';
import { markerNames, putMarker } from './copyMarker.ts';
import { copyEpochs } from './copyEpochs.ts';
import type { CopyView } from './copyView.ts';
import { withInitClaim } from './initClaim.ts';
import { CONFIG, lastSegment, names } from './names.ts';
import { lockedUntil } from './openLocked.ts';
import { removedSlots } from './removals.ts';
import { configBytes } from './repositoryConfig.ts';
import { slotBytes } from './slotBytes.ts';

/**
 * Sees to it that the target is a copy of the source, and makes an empty place one: key slots, then the mark that keeps
 * backups out, then the config.
 * Errors: `copy/other-repository`, `copy/not-a-copy`.
 */
export async function prepareTarget(view: CopyView): Promise<void> {
  const copiers = { random: view.target.random, attempts: 5, ...view.options };
  if (!(await isThere(view))) await retry(() => makeCopy(view), copiers);
  if ((await markerNames(view.target, view.signal)).size > 0) return;
  throw refusal('not-a-copy',
    `What is at ${view.target.storage.location} is the repository itself, or was made independent of it, or was copied by other means. `
    + `Give an empty place, or the one where a copy by 'holdfast copy' is.`);
}

/** False: there is no repository. Errors: `copy/other-repository`. */
async function isThere(view: CopyView): Promise<boolean> {
  const { storage } = view.target;
  let bytes: Uint8Array;
  try {
    bytes = await storage.get(CONFIG, view.options);
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/not-found') return false;
    throw error;
  }
  if (configBytes(view.source.keyring.repository).equals(bytes)) return true;
  throw refusal('other-repository', `There is another repository at ${storage.location}. Give an empty place, or the one where this copy is.`);
}

async function makeCopy(view: CopyView): Promise<void> {
  const { storage, clock, random } = view.target;
  for await (const { name } of listAll(storage, names.key(''), view.options)) {
    if (view.source.keyring.slotHolds(name, await storage.get(name, view.options))) continue;
    throw refusal('other-repository',
      `There are keys of another repository at ${storage.location}, whose config is missing. Give an empty place.`);
  }
  try {
    await withInitClaim(storage, clock, random, async (stillMine) => {
      await copyKeys(view, false, stillMine);
      await copyEpochs(view, stillMine);
      stillMine();
      await putMarker(view.target, { of: view.source.storage.location, packs: 0, flawed: {} }, view.signal);
      stillMine();
      await storage.put(CONFIG, [configBytes(view.source.keyring.repository)], view.options);
    });
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'repository/exists') throw error;
    // Another copy makes it at this moment: what it makes is the same.
    if (!(await isThere(view))) throw new HoldfastError(error.code, 'retry', error.message, { cause: error });
  }
}

/**
 * Key slots as the source has them: one that was changed there is put again, so that who was shut out there is shut out here.
 * One that cannot be proved is named, and the target's stays.
 */
export async function copyKeys(view: CopyView, prune: boolean, stillMine: () => void = () => {}): Promise<void> {
  let removed: ReadonlyMap<string, string> | undefined;
  for await (const { name, source, target } of comparedListings(view.source.storage, view.target.storage, names.key(''), view.signal)) {
    if (!source) {
      const until = await lockedUntil(view.target, name, view.signal);
      if (prune && until === undefined) await view.target.storage.delete(name, view.options);
      else view.find(name, 'key-slot', `This key slot stands in the copy and not in the source: its key still opens the copy. --prune removes it${until === undefined ? '' : `, not before its lock ends at ${new Date(until).toISOString()}`}.`);
      continue;
    }
    const bytes = await slotBytes(view.source.storage, view.source.keyring, name, view.signal);
    if (!view.source.keyring.slotHolds(name, bytes)) {
      view.find(name, 'damaged', 'The key slot is damaged in the source, and was not copied.');
      continue;
    }
    if (target && Buffer.from(await view.target.storage.get(name, view.options)).equals(bytes)) continue;
    // Locked in the source it still stands there; the copy need not have it.
    removed ??= await removedSlots(view.source, view.signal, { passOverUnreadable: true });
    if (removed.has(lastSegment(name))) continue;
    stillMine();
    await view.put(name, bytes);
  }
}

function refusal(what: string, message: string): HoldfastError {
  return new HoldfastError(`copy/${what}`, 'input', message);
}
