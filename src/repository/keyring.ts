import { createHmac, type KeyObject } from 'node:crypto';
import { HoldfastError } from '../domain/index.ts';
import { timeOrderedId, type RandomBytes } from '../runtime/index.ts';
import { deriveKey, KEY_LENGTH } from './accountKey.ts';
import { boxKey, boxPublic, openBox, sealBox } from './epochBox.ts';
import { lastSegment, names } from './names.ts';
import { isFlag, isText, listOf, objectOf, shaped, type Shape } from './recordShape.ts';
import { openJson, sealJson, type EpochKey } from './sealedObject.ts';
import { SealingKey } from './xaes.ts';

const MAC_LENGTH = 32;
const TAIL = KEY_LENGTH + MAC_LENGTH;

/** A key epoch as a bundle or an epoch's object tells of it. */
export interface EpochEntry {
  /** `<n>-<id>`: the last part of the name of its object; the first epoch has none. */
  readonly id: string;
  /** Base64. */
  readonly key: string;
  /** Whether every slot has it, so that it may seal. */
  readonly active: boolean;
}

/** What every key slot wraps: the secrets of one repository. */
interface Bundle {
  readonly repository: string;
  /** Base64; ids, chunker and entity tags come from it and never change, so that deduplication outlives rotation. */
  readonly secret: string;
  /** Those that there were when the slot was made; later ones come in objects of their own. */
  readonly epochs: readonly EpochEntry[];
}

const isKey: Shape = (key) => typeof key === 'string' && Buffer.from(key, 'base64').length === KEY_LENGTH;
const isEpoch = objectOf({ id: (id) => typeof id === 'string' && /^\d{10}-[0-9a-f]{32}$/.test(id), key: isKey, active: isFlag });
const isBundle: Shape = (bundle) => objectOf({ repository: isText, secret: isKey, epochs: listOf(isEpoch) })(bundle)
  && (bundle as Bundle).epochs.some(({ active }) => active);

/** The slot that opened the repository; it opens what a rotation seals for it. */
interface OwnSlot {
  readonly name: string;
  readonly box: KeyObject;
}

interface Epoch {
  readonly raw: Buffer;
  readonly sharedRaw: Buffer;
  readonly meta: SealingKey;
  readonly shared: SealingKey;
  readonly next: SealingKey;
}

/** The keys of one repository, unwrapped: those of its epochs grow when a rotation is noticed. Holds no copy of the key that unwrapped them. */
export class Keyring {
  readonly repository: string;
  readonly #secret: string;
  readonly #slot: OwnSlot | undefined;
  /** All that were ever seen, by id: those that are being prepared, or were given up, too. */
  readonly #known = new Map<string, EpochEntry>();
  /** The active ones by number. */
  readonly #epochs = new Map<number, Epoch>();
  #newest = 0;

  constructor(bundle: Bundle, slot?: OwnSlot) {
    this.repository = bundle.repository;
    this.#secret = bundle.secret;
    this.#slot = slot;
    for (const entry of bundle.epochs) this.learn(entry);
  }

  static create(repository: string, random: RandomBytes): Keyring {
    const id = `${'1'.padStart(10, '0')}-${timeOrderedId(0, random)}`;
    const first = { id, key: random(KEY_LENGTH).toString('base64'), active: true };
    return new Keyring({ repository, secret: random(KEY_LENGTH).toString('base64'), epochs: [first] });
  }

  /** The object under `keys/<slot>`: the bundle sealed with that slot's key, its public key, and a MAC that any slot's holder can check. */
  wrap(name: string, slotKey: Uint8Array, random: RandomBytes): Buffer[] {
    const bundle: Bundle = { repository: this.repository, secret: this.#secret, epochs: [...this.#known.values()] };
    const sealed = sealJson(name, bundle, { epoch: 0, key: new SealingKey(deriveKey(slotKey, 'slot')) }, random);
    const body = [...sealed, boxPublic(boxKey(deriveKey(slotKey, 'slot-box')))];
    return [...body, this.#slotMac(name, Buffer.concat(body))];
  }

  /** Whether a slot holds what was written to it, also where its own key is not at hand. */
  slotHolds(name: string, bytes: Uint8Array): boolean {
    const end = bytes.length - MAC_LENGTH;
    return end > KEY_LENGTH && this.#slotMac(name, bytes.subarray(0, end)).equals(bytes.subarray(end));
  }

  #slotMac(name: string, sealed: Uint8Array): Buffer {
    return createHmac('sha256', this.#derive('slot-mac')).update(`${name}\0`).update(sealed).digest();
  }

  /** @throws HoldfastError `repository/wrong-key` when the key is not the one that sealed this slot; `repository/damaged`. */
  static unwrap(name: string, bytes: Uint8Array, slotKey: Uint8Array): Keyring {
    const key = new SealingKey(deriveKey(slotKey, 'slot'));
    let bundle: unknown;
    try {
      bundle = openJson(name, bytes.subarray(0, Math.max(0, bytes.length - TAIL)), () => key);
    } catch (error) {
      throw new HoldfastError('repository/wrong-key', 'input',
        'The key does not open this repository. Give the key file (or recovery key) that was made with it.', { cause: error });
    }
    return new Keyring(shaped<Bundle>(name, bundle, isBundle), { name: lastSegment(name), box: boxKey(deriveKey(slotKey, 'slot-box')) });
  }

  /** Takes in an epoch, or that it has become active. */
  learn(entry: EpochEntry): void {
    if (this.#known.get(entry.id)?.active) return;
    this.#known.set(entry.id, entry);
    if (!entry.active) return;
    const number = epochNumber(entry.id);
    const raw = Buffer.from(entry.key, 'base64');
    const sharedRaw = deriveKey(raw, 'shared-packs');
    this.#epochs.set(number, {
      raw, sharedRaw, meta: new SealingKey(deriveKey(raw, 'meta')), shared: new SealingKey(sharedRaw),
      next: new SealingKey(deriveKey(raw, 'next-epoch')),
    });
    this.#newest = Math.max(this.#newest, number);
  }

  /** How many key epochs there are. */
  get epochs(): number { return this.#epochs.size; }
  /** Whether there is an epoch with that number. */
  hasEpoch(number: number): boolean { return this.#epochs.has(number); }
  /** By id, with those that are not active. */
  get known(): ReadonlyMap<string, EpochEntry> { return this.#known; }
  /** The name of the slot that opened the repository; undefined where it was made just now. */
  get slot(): string | undefined { return this.#slot?.name; }

  /** Seals manifests, indexes and all other records of the account. */
  get meta(): EpochKey { return { epoch: this.#newest, key: this.#at(this.#newest).meta }; }
  /** Seals packs that entities share. */
  get shared(): EpochKey { return { epoch: this.#newest, key: this.#at(this.#newest).shared }; }
  /** Seals the object of the next epoch. */
  get next(): EpochKey { return { epoch: this.#newest, key: this.#at(this.#newest).next }; }

  /** The raw key of the shared packs' newest epoch, for workers. */
  get sharedRaw(): Uint8Array { return this.sharedRawOf(this.#newest); }

  /** The raw key of the shared packs of one epoch. */
  sharedRawOf(epoch: number): Uint8Array {
    return this.#at(epoch).sharedRaw;
  }

  readonly metaOf = (epoch: number): SealingKey => this.#at(epoch).meta;
  readonly sharedOf = (epoch: number): SealingKey => this.#at(epoch).shared;
  readonly nextOf = (epoch: number): SealingKey => this.#at(epoch).next;

  /** Seals an epoch's key for a slot, by its public key. */
  boxFor(slot: string, publicKey: Uint8Array, epoch: string, key: Uint8Array, random: RandomBytes): string {
    return sealBox(publicKey, this.#derive('epoch-box'), key, `${names.epoch(epoch)}#${slot}`, random).toString('base64');
  }

  /** The epoch's key as it was sealed for the slot that opened the repository. */
  openBoxed(boxed: string, epoch: string): Buffer | undefined {
    if (!this.#slot) return undefined;
    return openBox(this.#slot.box, this.#derive('epoch-box'), Buffer.from(boxed, 'base64'), `${names.epoch(epoch)}#${this.#slot.name}`);
  }

  /** 32 bytes that key the blob ids. */
  get idKey(): Buffer { return this.#derive('blob-id'); }
  /** 32 bytes that key the chunker's gear table. */
  get chunkerKey(): Buffer { return this.#derive('chunker'); }
  /** 32 bytes that sign what is told of erasures outside of the repository. */
  get certificateKey(): Buffer { return this.#derive('certificate'); }

  /** What an entity is called in the bucket: 32 hex digits that say nothing without the key. */
  entityTag(entityId: string): string {
    return createHmac('sha256', this.#derive('entity-tag')).update(entityId).digest('hex').slice(0, 32);
  }

  #derive(label: string): Buffer {
    return Buffer.from(deriveKey(Buffer.from(this.#secret, 'base64'), label));
  }

  #at(number: number): Epoch {
    const epoch = this.#epochs.get(number);
    if (!epoch) {
      throw new HoldfastError('repository/unknown-epoch', 'input',
        `An object is sealed with key epoch ${number}, which this key does not hold. Use the newest key of the repository.`);
    }
    return epoch;
  }
}

/** The number in `<n>-<id>`. */
export function epochNumber(id: string): number {
  return Number.parseInt(id.slice(0, 10), 10);
}

/** The public key of a slot's box. */
export function slotPublic(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes.length - TAIL, bytes.length - MAC_LENGTH);
}
