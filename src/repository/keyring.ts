import { createHmac } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { deriveKey, KEY_LENGTH } from './accountKey.ts';
import { isText, listOf, objectOf, shaped, type Shape } from './recordShape.ts';
import { openJson, sealJson, type EpochKey } from './sealedObject.ts';
import { SealingKey } from './xaes.ts';

const MAC_LENGTH = 32;

/** What every key slot wraps: the secrets of one repository. */
interface Bundle {
  readonly repository: string;
  /** Base64; ids, chunker and entity tags come from it and never change, so that deduplication outlives rotation. */
  readonly secret: string;
  /** Base64, one per epoch, the newest last. */
  readonly epochs: readonly string[];
}

const isKey: Shape = (key) => typeof key === 'string' && Buffer.from(key, 'base64').length === KEY_LENGTH;
const isBundle: Shape = (bundle) => objectOf({ repository: isText, secret: isKey, epochs: listOf(isKey) })(bundle) && (bundle as Bundle).epochs.length > 0;

/** The keys of one repository, unwrapped. Holds no copy of the key that unwrapped them. */
export class Keyring {
  readonly repository: string;
  readonly #bundle: Bundle;
  readonly #meta: SealingKey[] = [];
  readonly #shared: SealingKey[] = [];

  constructor(bundle: Bundle) {
    this.repository = bundle.repository;
    this.#bundle = bundle;
    for (const epoch of bundle.epochs) {
      const key = Buffer.from(epoch, 'base64');
      this.#meta.push(new SealingKey(deriveKey(key, 'meta')));
      this.#shared.push(new SealingKey(deriveKey(key, 'shared-packs')));
    }
  }

  static create(repository: string, random: RandomBytes): Keyring {
    return new Keyring({ repository, secret: random(32).toString('base64'), epochs: [random(32).toString('base64')] });
  }

  /** The object under `keys/<slot>`: the bundle sealed with that slot's key, and a MAC that any slot's holder can check. */
  wrap(name: string, slotKey: Uint8Array, random: RandomBytes): Buffer[] {
    const sealed = sealJson(name, this.#bundle, { epoch: 0, key: new SealingKey(deriveKey(slotKey, 'slot')) }, random);
    return [...sealed, this.#slotMac(name, Buffer.concat(sealed))];
  }

  /** Whether a slot holds what was written to it, also where its own key is not at hand. */
  slotHolds(name: string, bytes: Uint8Array): boolean {
    const end = bytes.length - MAC_LENGTH;
    return end > 0 && this.#slotMac(name, bytes.subarray(0, end)).equals(bytes.subarray(end));
  }

  #slotMac(name: string, sealed: Uint8Array): Buffer {
    return createHmac('sha256', this.#derive('slot-mac')).update(`${name}\0`).update(sealed).digest();
  }

  /** @throws HoldfastError `repository/wrong-key` when the key is not the one that sealed this slot; `repository/damaged`. */
  static unwrap(name: string, bytes: Uint8Array, slotKey: Uint8Array): Keyring {
    const key = new SealingKey(deriveKey(slotKey, 'slot'));
    let bundle: unknown;
    try {
      bundle = openJson(name, bytes.subarray(0, Math.max(0, bytes.length - MAC_LENGTH)), () => key);
    } catch (error) {
      throw new HoldfastError('repository/wrong-key', 'input',
        'The key does not open this repository. Give the key file (or recovery key) that was made with it.', { cause: error });
    }
    return new Keyring(shaped<Bundle>(name, bundle, isBundle));
  }

  /** How many key epochs there are. */
  get epochs(): number { return this.#meta.length; }

  /** Seals manifests, indexes and all other records of the account. */
  get meta(): EpochKey { return this.#newest(this.#meta); }
  /** Seals packs that entities share. */
  get shared(): EpochKey { return this.#newest(this.#shared); }

  /** The raw key of the shared packs' newest epoch, for workers. */
  get sharedRaw(): Uint8Array { return (this.#sharedRaw ??= this.sharedRawOf(this.epochs)); }
  #sharedRaw: Uint8Array | undefined;

  /** The raw key of the shared packs of one epoch. */
  sharedRawOf(epoch: number): Uint8Array {
    return deriveKey(Buffer.from(this.#bundle.epochs[epoch - 1] ?? '', 'base64'), 'shared-packs');
  }

  readonly metaOf = (epoch: number): SealingKey => this.#at(this.#meta, epoch);
  readonly sharedOf = (epoch: number): SealingKey => this.#at(this.#shared, epoch);

  /** 32 bytes that key the blob ids. */
  get idKey(): Buffer { return this.#derive('blob-id'); }
  /** 32 bytes that key the chunker's gear table. */
  get chunkerKey(): Buffer { return this.#derive('chunker'); }

  /** What an entity is called in the bucket: 32 hex digits that say nothing without the key. */
  entityTag(entityId: string): string {
    return createHmac('sha256', this.#derive('entity-tag')).update(entityId).digest('hex').slice(0, 32);
  }

  #derive(label: string): Buffer {
    return Buffer.from(deriveKey(Buffer.from(this.#bundle.secret, 'base64'), label));
  }

  #newest(keys: readonly SealingKey[]): EpochKey {
    const key = keys.at(-1);
    if (!key) throw new HoldfastError('repository/damaged', 'never', 'The key bundle of the repository holds no epoch.');
    return { epoch: keys.length, key };
  }

  #at(keys: readonly SealingKey[], epoch: number): SealingKey {
    const key = keys[epoch - 1];
    if (!key) {
      throw new HoldfastError('repository/unknown-epoch', 'input',
        `An object is sealed with key epoch ${epoch}, which this key does not hold. Use the newest key of the repository.`);
    }
    return key;
  }
}
