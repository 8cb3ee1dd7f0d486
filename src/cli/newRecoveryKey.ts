import { messageOf } from '../domain/index.ts';
import { systemRandom } from '../runtime/index.ts';
import { addKey, formatRecoveryKey, listKeys, removeKey, type Repository } from '../repository/index.ts';
import type { CommandContext } from './commandContext.ts';
import type { RecoverySheet } from './recoverySheet.ts';

/** Makes one more recovery key; with `retireOld` those before it open nothing any more, and a new key epoch begins. */
export async function newRecoveryKey({ signal, clock }: CommandContext, repository: Repository, retireOld: boolean): Promise<RecoverySheet> {
  const before = (await listKeys(repository, signal)).slots.filter(({ kind }) => kind === 'recovery');
  const key = systemRandom(32);
  const slot = await addKey(repository, 'recovery', key, signal);
  const retired: string[] = [];
  const notRetired: { slot: string; message: string }[] = [];
  for (const { slot: old } of retireOld ? before : []) {
    try {
      await removeKey(repository, old, signal);
      retired.push(old);
    } catch (error) {
      // The new key opens the repository by now: it must be shown, whatever becomes of the old ones.
      notRetired.push({ slot: old, message: messageOf(error) });
    }
  }
  return {
    repository: repository.id, location: repository.context.storage.location, slot, retired, notRetired,
    recoveryKey: formatRecoveryKey(key), printedAt: new Date(clock.now()).toISOString(),
  };
}
