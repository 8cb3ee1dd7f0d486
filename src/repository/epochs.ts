import { isHoldfastError, HoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import { KEY_LENGTH } from './accountKey.ts';
import { epochNumber, slotPublic, type Keyring } from './keyring.ts';
import { epochOfName, isPrepared, lastSegment, names } from './names.ts';
import { isFlag, isText, objectOf, shaped } from './recordShape.ts';
import { removedSlots } from './removals.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { damaged, isUnreadable, openJson, sealJson } from './sealedObject.ts';
import { slotBytes } from './slotBytes.ts';

/** Times that a rotation begins again because another one, or a change of the slots, came in between. */
const ATTEMPTS = 5;
/** The header's field for it. */
const MOST_EPOCHS = 65_535;

/** The object of an epoch: its key, sealed for each slot. */
export interface EpochRecord {
  readonly madeAt: string;
  /** As its name tells: false as long as nothing may be sealed with it. */
  readonly active: boolean;
  /** By slot: the key in a box that only the slot's key opens. */
  readonly slots: Readonly<Record<string, string>>;
}

/** An epoch whose key is not known: its object is damaged, or has nothing for the slot at hand. */
interface UnknownEpoch {
  readonly name: string;
  readonly error: HoldfastError;
}

/** Takes in the epochs that others have made. @returns those that it could not; what is sealed with one says so when it is read. */
export async function learnEpochs(storage: Storage, keyring: Keyring, signal?: AbortSignal): Promise<readonly UnknownEpoch[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const unknown = await learnListed(storage, keyring, signal);
    if (unknown) return unknown;
  }
  throw busy();
}

/** @returns nothing where a prepared one went after the listing: it may be in use by now, under a name that was not listed. */
async function learnListed(storage: Storage, keyring: Keyring, signal?: AbortSignal): Promise<UnknownEpoch[] | undefined> {
  const options = signal ? { signal } : {};
  const unknown: UnknownEpoch[] = [];
  let went = false;
  for await (const { name } of listAll(storage, names.epoch(''), options)) {
    const known = keyring.known.get(epochOfName(name));
    if (known?.active || (known && isPrepared(name))) continue;
    try {
      learnEpoch(keyring, name, await storage.get(name, options));
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      if (error.code === 'storage/not-found') went = true;
      else if (isUnreadable(error)) unknown.push({ name, error });
      else throw error;
    }
  }
  return went ? undefined : unknown;
}

/**
 * As {@link learnEpochs}, for whoever is about to write: sealing with an older epoch because the newest cannot be read would
 * undo a rotation without a word. Errors: `key/epoch-unknown`.
 */
export async function learnNewest({ storage, keyring }: RepositoryContext, signal?: AbortSignal): Promise<void> {
  for (const { name, error } of await learnEpochs(storage, keyring, signal)) {
    if (isPrepared(name) || epochNumber(epochOfName(name)) < keyring.meta.epoch) continue;
    throw new HoldfastError('key/epoch-unknown', 'input',
      `The newest key epoch (${name}) cannot be read with this key, so nothing is written: it would be sealed with older keys. `
      + `Run 'holdfast check' to see whether it is damaged, and put it back from a copy. If nothing was backed up since it began, `
      + `'holdfast key rotate' begins another one.`, { data: { object: name }, cause: error });
  }
}

const isEpochRecord = objectOf({ active: isFlag, slots: (slots) => objectOf({})(slots) && Object.values(slots as object).every(isText) });

/** Throws `repository/damaged`, `repository/unknown-epoch`. */
export function readEpoch(keyring: Keyring, name: string, bytes: Uint8Array): EpochRecord {
  const record = shaped<EpochRecord>(name, openJson(name, bytes, keyring.nextOf), isEpochRecord);
  if (record.active === isPrepared(name)) throw damaged(name, 'its name and what it says differ');
  return record;
}

function learnEpoch(keyring: Keyring, name: string, bytes: Uint8Array): void {
  const id = epochOfName(name);
  const record = readEpoch(keyring, name, bytes);
  const boxed = keyring.slot === undefined ? undefined : record.slots[keyring.slot];
  const key = keyring.known.get(id)?.key ?? (boxed === undefined ? undefined : keyring.openBoxed(boxed, id)?.toString('base64'));
  if (key === undefined) {
    throw new HoldfastError('repository/unknown-epoch', 'input', `The key epoch ${name} is not sealed for this key. Use another key of the repository.`);
  }
  if (Buffer.from(key, 'base64').length !== KEY_LENGTH) throw damaged(name, 'a box in it holds no key');
  keyring.learn({ id, key, active: record.active });
}

/** The public keys of all slots that count, by slot. One whose MAC does not hold gets no key. */
async function slotBoxes(context: RepositoryContext, signal?: AbortSignal): Promise<Map<string, Uint8Array>> {
  const { storage, keyring } = context;
  const removed = await removedSlots(context, signal);
  const boxes = new Map<string, Uint8Array>();
  for await (const { name } of listAll(storage, names.key(''), signal ? { signal } : {})) {
    if (removed.has(lastSegment(name))) continue;
    const bytes = await slotBytes(storage, keyring, name, signal);
    if (!keyring.slotHolds(name, bytes)) {
      throw new HoldfastError('repository/damaged', 'never',
        `The key slot ${name} is damaged, and a new epoch would lock its key out. Remove the slot first ('holdfast key remove').`, { data: { object: name } });
    }
    boxes.set(lastSegment(name), slotPublic(bytes));
  }
  return boxes;
}

/**
 * Makes a new key epoch, with which all is sealed from now on: PUT it prepared → LIST the epochs: nobody else took the number →
 * LIST the slots again → PUT it for use, for exactly those → DELETE the prepared one. Whoever adds a slot puts the slot and then
 * lists the epochs; so every slot has every epoch in use. Each has a name of its own, so that a put which the storage does again,
 * late, takes nothing back. Killed before the second put it leaves an epoch that nobody uses.
 * @returns the number of the new epoch.
 */
export async function rotateEpoch(context: RepositoryContext, signal?: AbortSignal): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const made = await tryRotation(context, signal);
    if (made !== undefined) return made;
  }
  throw busy();
}

async function tryRotation(context: RepositoryContext, signal?: AbortSignal): Promise<number | undefined> {
  const { storage, keyring, clock, random } = context;
  const options = signal ? { signal } : {};
  await learnEpochs(storage, keyring, signal);
  const slots = await slotBoxes(context, signal);
  const number = 1 + Math.max(keyring.meta.epoch, ...[...(await epochIds(storage, signal))].map(epochNumber));
  if (number > MOST_EPOCHS) throw new HoldfastError('key/too-many-epochs', 'never', `A repository has up to ${MOST_EPOCHS} key epochs.`);
  const id = `${String(number).padStart(10, '0')}-${timeOrderedId(clock.now(), random)}`;
  const key = random(KEY_LENGTH);
  const sealWith = keyring.next;
  const put = async (name: string, boxes: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    const record: EpochRecord = {
      madeAt: new Date(clock.now()).toISOString(), active: !isPrepared(name),
      slots: Object.fromEntries([...boxes].map(([slot, box]) => [slot, keyring.boxFor(slot, box, id, key, random)])),
    };
    await storage.put(name, sealJson(name, record, sealWith, random), options);
  };
  await put(names.preparedEpoch(id), slots);
  const others = [...(await epochIds(storage, signal))].some((one) => one !== id && epochNumber(one) === number);
  const now = await slotBoxes(context, signal);
  // A slot that went meanwhile has seen this key: it must never be used.
  if (others || [...slots.keys()].some((slot) => !now.has(slot))) {
    await storage.delete(names.preparedEpoch(id), options);
    return undefined;
  }
  await put(names.epoch(id), now);
  keyring.learn({ id, key: key.toString('base64'), active: true });
  await storage.delete(names.preparedEpoch(id), options);
  return number;
}

async function epochIds(storage: Storage, signal?: AbortSignal): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { name } of listAll(storage, names.epoch(''), signal ? { signal } : {})) ids.add(epochOfName(name));
  return ids;
}

function busy(): HoldfastError {
  return new HoldfastError('key/busy', 'retry', 'Other programs are changing the keys of this repository just now. Nothing was changed; try again.');
}
