import type { PutOptions, Storage } from '../storage/index.ts';
import { epochOf, EpochStorage } from './epochStorage.ts';
import type { Keyring } from './keyring.ts';

/** The storage of a copy while it is copied to: whatever is put there is sealed in an epoch that stands there already, also where the source is rotated meanwhile. */
export class CopyStorage extends EpochStorage {
  readonly #standing = new Set<number>();
  /** Brings the epochs of the source here. */
  copyEpochs: () => Promise<void> = () => Promise.resolve();

  constructor(inner: Storage, keyring: Keyring) {
    super(inner, keyring);
  }

  override async put(name: string, parts: readonly Uint8Array[], options: PutOptions = {}): Promise<void> {
    const epoch = parts[0] ? epochOf(parts[0]) : 0;
    if (epoch > 1 && !name.startsWith('epochs/') && !this.#standing.has(epoch)) {
      await this.copyEpochs();
      this.#standing.add(epoch);
    }
    await super.put(name, parts, options);
  }
}
