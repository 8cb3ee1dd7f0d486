import { HoldfastError } from '../domain/index.ts';
import { timeOrderedId } from '../runtime/index.ts';
import { listAll } from '../storage/index.ts';
import { refuseCopy } from './copyMarker.ts';
import { learnEpochs, learnNewest, rotateEpoch } from './epochs.ts';
import { epochNumber } from './keyring.ts';
import { LockedTally } from './lockedTally.ts';
import { epochOfName, isPrepared, lastSegment, names } from './names.ts';
import { holdLocked, lockedUntil, refuseLost, withoutLocks } from './openLocked.ts';
import { removedSlots, writeRemoval } from './removals.ts';
import type { Repository } from './repository.ts';
import { timeOfId } from './roots.ts';
import { slotBytes } from './slotBytes.ts';

export type SlotKind = 'operator' | 'recovery';

export interface KeySlot {
  readonly slot: string;
  readonly kind: SlotKind;
  /** ISO 8601; null for those that were made with the repository. */
  readonly madeAt: string | null;
  /** Whether it is still what was written. */
  readonly sound: boolean;
  /** The key at hand is this slot's. */
  readonly inUse: boolean;
}

export interface KeyEpoch {
  readonly epoch: number;
  readonly madeAt: string | null;
  /** What is written now is sealed with it; no one where the newest cannot be read, since then nothing is written. */
  readonly current: boolean;
  /** Whether the key at hand opens what is sealed with it: not where its object is damaged, or has nothing for this key. */
  readonly readable: boolean;
}

/** Times that a new slot is put again because a rotation came in between. */
const ATTEMPTS = 5;

/** The slots that count, and the epochs that are in use. */
export async function listKeys({ context }: Repository, signal?: AbortSignal): Promise<{ slots: KeySlot[]; epochs: KeyEpoch[] }> {
  const { storage, keyring } = context;
  const unknown = await learnEpochs(storage, keyring, signal);
  const removed = await removedSlots(context, signal);
  const slots: KeySlot[] = [];
  for await (const { name } of listAll(storage, names.key(''), signal ? { signal } : {})) {
    const slot = lastSegment(name);
    const kind = kindOf(slot);
    if (kind === undefined || removed.has(slot)) continue;
    const sound = keyring.slotHolds(name, await slotBytes(storage, keyring, name, signal));
    slots.push({ slot, kind, madeAt: timeIn(slot), sound, inUse: slot === keyring.slot });
  }
  const known = [...keyring.known.values()].filter((entry) => entry.active).map(({ id }) => id);
  return { slots, epochs: epochsOf(known, unknown.filter(({ name }) => !isPrepared(name)).map(({ name }) => epochOfName(name))) };
}

function epochsOf(known: readonly string[], unreadable: readonly string[]): KeyEpoch[] {
  const epochs = [...known.map((id) => ({ id, readable: true })), ...unreadable.map((id) => ({ id, readable: false }))]
    .map(({ id, readable }) => ({ epoch: epochNumber(id), madeAt: epochNumber(id) === 1 ? null : timeIn(id), readable }))
    .toSorted((a, b) => a.epoch - b.epoch);
  return epochs.map((one, i) => ({ ...one, current: one.readable && i === epochs.length - 1 }));
}

function kindOf(slot: string): SlotKind | undefined {
  const [kind] = slot.split('-');
  return kind === 'operator' || kind === 'recovery' ? kind : undefined;
}

function timeIn(name: string): string | null {
  const id = name.split('-')[1];
  return id === undefined ? null : new Date(timeOfId(id)).toISOString();
}

/**
 * Makes a slot for one more key: PUT it → read the epochs anew → where one came in between, PUT it again. On return that key opens all.
 * @returns the slot's name.
 */
export async function addKey({ context }: Repository, kind: SlotKind, key: Uint8Array, signal?: AbortSignal): Promise<string> {
  const { keyring, clock, random } = context;
  await refuseCopy(context, signal);
  refuseLost(context);
  await learnNewest(context, signal);
  // Locked at the end: until then it may have to be taken back.
  const { storage } = withoutLocks(context);
  const slot = `${kind}-${timeOrderedId(clock.now(), random)}`;
  const name = names.key(slot);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const known = keyring.known.size;
    await storage.put(name, keyring.wrap(name, key, random), signal ? { signal } : {});
    await learnEpochs(storage, keyring, signal);
    if (keyring.known.size > known) continue;
    await holdLocked(context, name, signal);
    return slot;
  }
  // A run may have locked it in between; nobody has its key.
  await new LockedTally(context).deleteUnlessLocked(name);
  throw new HoldfastError('key/busy', 'retry', 'Other programs are changing the keys of this repository just now. No key was added; try again.');
}

/**
 * Takes a slot away, for good, and makes a new epoch: what is written from now on is not for the holder of that key, not even
 * with a copy of the slot. One operator's and one recovery key always stay. Killed midway it is finished when it is run again.
 * Errors: `key/no-slot`, `key/in-use`, `key/last-slot`; `storage/locked` where all of that is done, and the slot's object stays until its lock ends.
 * @returns the number of the new epoch.
 */
export async function removeKey(repository: Repository, slot: string, signal?: AbortSignal): Promise<number> {
  const { context } = repository;
  await refuseCopy(context, signal);
  refuseLost(context);
  const record = (await removedSlots(context, signal)).get(slot);
  if (record !== undefined) {
    // The record's author may have been killed before it looked at what is left.
    mustStay((await listKeys(repository, signal)).slots, undefined);
    await holdLocked(context, record, signal);
  } else {
    await recordRemoval(repository, slot, signal);
  }
  const until = await lockedUntil(context, names.key(slot), signal);
  if (until === undefined) await context.storage.delete(names.key(slot), signal ? { signal } : {});
  const epoch = await rotateEpoch(context, signal);
  if (until !== undefined) throw slotLocked(slot, until);
  return epoch;
}

function slotLocked(slot: string, until: number): HoldfastError {
  const end = new Date(until).toISOString();
  return new HoldfastError('storage/locked', 'input',
    `The key of the slot "${slot}" opens nothing that is stored from now on. The slot itself is locked until ${end}, and until then it still opens what was `
    + `stored before. Run 'holdfast key remove ${slot}' again after that to delete it.`, { data: { name: names.key(slot), until } });
}

async function recordRemoval(repository: Repository, slot: string, signal?: AbortSignal): Promise<void> {
  const { context } = repository;
  const { slots } = await listKeys(repository, signal);
  const found = slots.find((one) => one.slot === slot);
  const known = slots.map((one) => one.slot).join(', ');
  if (!found) throw new HoldfastError('key/no-slot', 'input', `There is no key slot "${slot}". There are: ${known}.`);
  if (found.inUse) {
    throw new HoldfastError('key/in-use', 'input', `The slot "${slot}" is that of the key you have given. Open the repository with another one to remove it.`);
  }
  mustStay(slots, found);
  // PUT the record, then look: of two that remove the last two keys at least one sees the other, and gives way.
  const record = await writeRemoval(withoutLocks(context), [], signal, { slots: [slot] });
  try {
    mustStay((await listKeys(repository, signal)).slots, undefined);
  } catch (error) {
    await context.storage.delete(record);
    throw error;
  }
  await holdLocked(context, record, signal);
}

/** A new epoch: all that is written from now on, by programs that begin now, is sealed with new keys. @returns its number. */
export async function rotateKeys({ context }: Repository, signal?: AbortSignal): Promise<number> {
  await refuseCopy(context, signal);
  refuseLost(context);
  return rotateEpoch(context, signal);
}

function mustStay(slots: readonly KeySlot[], without: KeySlot | undefined): void {
  for (const kind of ['operator', 'recovery'] as const) {
    if (slots.some((one) => one.kind === kind && one.sound && one.slot !== without?.slot)) continue;
    throw new HoldfastError('key/last-slot', 'input',
      `A repository keeps at least one sound ${kind} key. Add another ('holdfast key add --${kind}') before this one goes.`);
  }
}
