import type { Progress } from '../domain/index.ts';
import type { Storage } from '../storage/index.ts';
import { copyEpochs } from './copyEpochs.ts';
import { CopyRun, type CopyResult } from './copyRun.ts';
import { CopyStorage } from './copyStorage.ts';
import { CopyView } from './copyView.ts';
import { seeLocked, withLockSetting } from './openLocked.ts';
import type { Repository } from './repository.ts';

export interface CopyOptions {
  /** Remove from the copy what a prune has removed from the source. */
  readonly prune?: boolean;
  /** Read every byte again that was put; else of packs only the end. */
  readonly readBack?: boolean;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/**
 * Brings every sealed snapshot of the repository into another place, in the order of docs/format/copy.md. What stands there
 * already is not read again; killed at any point it leaves a sound repository there, and the next run goes on. Damage
 * in the source is among the findings; errors are those of the storages, and
 * `copy/other-repository`, `copy/not-a-copy`, `copy/target-ahead`, `copy/read-back`, `repository/pruned-under-run`, `repository/lock-lost`.
 */
export async function copyRepository(source: Repository, target: Storage, options: CopyOptions = {}): Promise<CopyResult> {
  const { clock, keyring } = source.context;
  const place = await withLockSetting(await seeLocked(target, clock, options.signal), keyring, options.signal);
  const storage = new CopyStorage(place, keyring);
  const view = new CopyView(source.context, { ...source.context, storage }, options);
  storage.copyEpochs = () => copyEpochs(view);
  return new CopyRun(view, options.prune ?? false).run();
}
