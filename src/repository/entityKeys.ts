import { hash } from 'node:crypto';
import type { Entity } from '../domain/index.ts';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import { deriveKey, KEY_LENGTH } from './accountKey.ts';
import { inLanes } from './inLanes.ts';
import type { OwnStream } from './indexSegment.ts';
import type { Keyring } from './keyring.ts';
import { keepsLocked } from './lockEnds.ts';
import { lastSegment, names } from './names.ts';
import { isText, objectOf, shaped } from './recordShape.ts';
import { tagAndId } from './roots.ts';
import { damaged, openJson, readHeader, sealJson, type EpochKey } from './sealedObject.ts';
import { SealingKey } from './xaes.ts';

/** Records in work at once. */
const LANES = 4;

/** One entity of the repository: who it is and the keys of its own packs. */
export interface EntityRecord {
  readonly entity: Entity;
  readonly tag: string;
  /** Ids of its records that hold a key. */
  readonly keyIds: readonly string[];
  /** That its newest key was made in. */
  readonly epoch: number;
  /** The raw keys of its packs, end to end as {@link SealingKey} takes them, for workers. */
  readonly packKey: Uint8Array;
  /** Seals with the first key and opens with any. */
  readonly packs: EpochKey;
}

interface Stored {
  readonly entity: Entity;
  /** Base64; random, so that deleting this object makes the entity's own packs unreadable for ever. A record without one only raises the generation. */
  readonly key?: string;
}

interface KeyRecord extends Stored {
  readonly id: string;
  readonly key: string;
  /** Of the account's keys, that the record is sealed with. */
  readonly epoch: number;
}

const isStored = objectOf({
  entity: objectOf({ id: isText, service: isText, name: isText }),
  key: (key) => key === undefined || typeof key === 'string' && Buffer.from(key, 'base64').length === KEY_LENGTH,
});

/** Names of the entity's records in ascending order. One for each key epoch with a run; more where two such runs met. */
async function recordNames(storage: Storage, tag: string, signal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of listAll(storage, names.entity(tag), signal ? { signal } : {})) found.push(name);
  return found;
}

/** An entity's stream as its index is read: by the ids of all its records, damaged ones too, or of none. */
export async function ownStream(storage: Storage, tag: string, signal?: AbortSignal): Promise<OwnStream> {
  return { tag, keyIds: (await recordNames(storage, tag, signal)).map(lastSegment) };
}

/** Undefined where it went meanwhile: with the entity, or since another erasure put one in its place. */
async function readRecord(
  storage: Storage, keyring: Keyring, name: string, signal?: AbortSignal,
): Promise<(Stored & { readonly epoch: number }) | undefined> {
  try {
    const bytes = await storage.get(name, signal ? { signal } : {});
    return { ...shaped<Stored>(name, openJson(name, bytes, keyring.metaOf), isStored), epoch: readHeader(bytes, 'HFOB', name) };
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'storage/not-found') return undefined;
    throw error;
  }
}

async function readRecords(
  storage: Storage, keyring: Keyring, tag: string, found: readonly string[], signal?: AbortSignal,
): Promise<EntityRecord> {
  const stored = new Map<string, Stored & { readonly epoch: number }>();
  await inLanes(found, LANES, async (one) => {
    const record = await readRecord(storage, keyring, one, signal);
    if (record) stored.set(one, record);
  });
  const records = found.flatMap((one): KeyRecord[] => {
    const { key, ...record } = stored.get(one) ?? {};
    return 'entity' in record && key !== undefined ? [{ ...record, id: lastSegment(one), key }] : [];
  });
  // The newest epoch's first key seals. Sorting is stable: of one epoch the first by name.
  records.sort((a, b) => b.epoch - a.epoch);
  const [first] = records;
  const name = names.entity(tag);
  if (!first && stored.size > 0) throw damaged(name, 'none of its records holds a key');
  if (!first) {
    throw new HoldfastError('storage/not-found', 'never', `${storage.location} holds no object under "${name}".`, { data: { name } });
  }
  const packKey = Buffer.concat(records.map(({ key }) => deriveKey(Buffer.from(key, 'base64'), 'entity-packs')));
  return { entity: first.entity, tag, keyIds: records.map(({ id }) => id), epoch: first.epoch, packKey, packs: { epoch: 1, key: new SealingKey(packKey) } };
}

/** Errors: `storage/not-found` where there is no such entity; those of damaged records. */
export async function readEntity(storage: Storage, keyring: Keyring, tag: string, signal?: AbortSignal): Promise<EntityRecord> {
  return readRecords(storage, keyring, tag, await recordNames(storage, tag, signal), signal);
}

/** All entities, by one listing. */
export async function readEntities(storage: Storage, keyring: Keyring, signal?: AbortSignal): Promise<EntityRecord[]> {
  const byTag = new Map<string, string[]>();
  for (const name of await recordNames(storage, '', signal)) {
    const { tag } = tagAndId(name);
    byTag.set(tag, [...(byTag.get(tag) ?? []), name]);
  }
  const records: EntityRecord[] = [];
  for (const [tag, found] of byTag) records.push(await readRecords(storage, keyring, tag, found, signal));
  return records;
}

/**
 * The record of this entity, made when it is new, and again by the first run of a new key epoch. A record is never replaced, and
 * deleted only with the entity: two such runs at once put one each, under names of their own, and each lists after its
 * put. So every key that any run may seal with is kept.
 */
export async function ensureEntity(
  storage: Storage, keyring: Keyring, entity: Entity, random: RandomBytes, signal?: AbortSignal,
): Promise<EntityRecord> {
  const tag = keyring.entityTag(entity.id);
  const found = await recordNames(storage, tag, signal);
  const known = found.length > 0 ? await readRecords(storage, keyring, tag, found, signal) : undefined;
  if (known && known.epoch >= keyring.meta.epoch) return known;
  await putRecord(storage, keyring, { entity, key: random(32).toString('base64') }, random, signal);
  return readEntity(storage, keyring, tag, signal);
}

/** Whether the record stands with whose key its runs seal: not where the entity was removed. */
export async function hasKey(storage: Storage, { tag, keyIds: [first] }: EntityRecord, signal?: AbortSignal): Promise<boolean> {
  return first === undefined || (await storage.stat(names.entityRecord(tag, first), signal ? { signal } : {})) !== undefined;
}

async function putRecord(storage: Storage, keyring: Keyring, stored: Stored, random: RandomBytes, signal?: AbortSignal): Promise<void> {
  const name = names.entity(keyring.entityTag(stored.entity.id), random(16).toString('hex'));
  await storage.put(name, sealJson(name, stored, keyring.meta, random), signal ? { signal } : {});
}

/**
 * Another one whenever caches of the entity's rows must not be read again: since an erasure, and since it has another key. Told by the
 * names of its records alone, so that damaged ones do not stand in the way of browsing.
 */
export async function entityGeneration(storage: Storage, tag: string, signal?: AbortSignal): Promise<string> {
  return hash('sha256', (await recordNames(storage, tag, signal)).join('\n')).slice(0, 16);
}

/**
 * Raises the entity's generation: caches that were made before are not read again. Records without a key that stood before it are of no
 * more use, and go: the last one that was put stays, whoever else does the same just now.
 */
export async function raiseGeneration(
  storage: Storage, keyring: Keyring, { entity, tag }: EntityRecord, random: RandomBytes, signal?: AbortSignal,
): Promise<void> {
  const before = await recordNames(storage, tag, signal);
  await putRecord(storage, keyring, { entity }, random, signal);
  await inLanes(before, LANES, async (name) => {
    const record = await readRecord(storage, keyring, name, signal);
    if (!record || record.key !== undefined || (keepsLocked(storage) && await storage.lockedUntil(name, signal) !== undefined)) return;
    await storage.delete(name, signal ? { signal } : {});
  });
}

/** Names of records whose keys the snapshots or roots may need, and that are gone. */
export function lostRecords(entity: EntityRecord, users: readonly { readonly entityKeys?: readonly string[] }[]): string[] {
  const lost = new Set(users.flatMap(({ entityKeys = [] }) => entityKeys));
  for (const id of entity.keyIds) lost.delete(id);
  return [...lost].map((id) => names.entity(entity.tag, id));
}
