import { InterceptedStorage, type Range, type Storage } from '../storage/index.ts';
import { learnEpochs } from './epochs.ts';
import type { Keyring } from './keyring.ts';
import { keepsLocked, keepsVersions } from './lockEnds.ts';
import { HEADER_LENGTH } from './sealedObject.ts';

const KINDS = new Set(['HFOB', 'HFPK', 'HFIX', 'HFSG']);

/**
 * The storage of an open repository: an object of a key epoch that is not known yet was written after a rotation, so the
 * epochs are read anew before the object is handed on. Whatever began before a rotation goes on after it.
 */
export class EpochStorage extends InterceptedStorage {
  readonly #keyring: Keyring;
  /** Looked for already, and not there. */
  readonly #unknown = new Set<number>();
  /** As {@link keepsLocked} looks for it. */
  readonly lockedUntil: ((name: string, signal?: AbortSignal) => Promise<number | undefined>) | undefined;
  /** As {@link keepsVersions} looks for it. */
  readonly lockedVersionsOf: ((name: string, signal?: AbortSignal) => AsyncGenerator<Uint8Array>) | undefined;

  constructor(inner: Storage, keyring: Keyring) {
    super(inner);
    this.#keyring = keyring;
    this.lockedUntil = keepsLocked(inner) ? (name, signal) => inner.lockedUntil(name, signal) : undefined;
    this.lockedVersionsOf = keepsVersions(inner) ? (name, signal) => inner.lockedVersionsOf(name, signal) : undefined;
  }

  /** What lies below: the place, or what locks it. */
  get place(): Storage { return this.inner; }

  protected override around<T>(_call: unknown, run: () => Promise<T>): Promise<T> {
    return run();
  }

  override async get(name: string, options: { range?: Range; signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const bytes = await this.inner.get(name, options);
    if (options.range && options.range.offset !== 0) return bytes;
    const epoch = epochOf(bytes);
    if (epoch > 0 && !this.#keyring.hasEpoch(epoch) && !this.#unknown.has(epoch)) {
      await learnEpochs(this.inner, this.#keyring, options.signal);
      if (!this.#keyring.hasEpoch(epoch)) this.#unknown.add(epoch);
    }
    return bytes;
  }
}

/** The epoch in the header of an object; 0: it has none. */
export function epochOf(bytes: Uint8Array): number {
  if (bytes.length < HEADER_LENGTH) return 0;
  const kind = Buffer.from(bytes.buffer, bytes.byteOffset, 4).toString('latin1');
  return KINDS.has(kind) ? (bytes[6] ?? 0) | ((bytes[7] ?? 0) << 8) : 0;
}
