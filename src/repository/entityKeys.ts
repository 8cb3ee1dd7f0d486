import type { Entity } from '../domain/index.ts';
import { HoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import { deriveKey, KEY_LENGTH } from './accountKey.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { isText, objectOf, shaped } from './recordShape.ts';
import { tagAndId } from './roots.ts';
import { openJson, sealJson, type EpochKey } from './sealedObject.ts';
import { SealingKey } from './xaes.ts';

/** One entity of the repository: who it is and the keys of its own packs. */
export interface EntityRecord {
  readonly entity: Entity;
  readonly tag: string;
  /** The raw keys of its packs, end to end as {@link SealingKey} takes them, for workers. */
  readonly packKey: Uint8Array;
  /** Seals with the first key and opens with any. */
  readonly packs: EpochKey;
}

interface Stored {
  readonly entity: Entity;
  /** Base64; random, so that deleting this object makes the entity's own packs unreadable for ever. */
  readonly key: string;
}

const isStored = objectOf({
  entity: objectOf({ id: isText, service: isText, name: isText }),
  key: (key) => typeof key === 'string' && Buffer.from(key, 'base64').length === KEY_LENGTH,
});

/** Names of the entity's records in ascending order. More than one only where two first runs met. */
async function recordNames(storage: Storage, tag: string, signal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of listAll(storage, names.entity(tag), signal ? { signal } : {})) found.push(name);
  return found;
}

async function readRecords(
  storage: Storage, keyring: Keyring, tag: string, found: readonly string[], signal?: AbortSignal,
): Promise<EntityRecord> {
  const records: Stored[] = [];
  for (const name of found) {
    records.push(shaped<Stored>(name, openJson(name, await storage.get(name, signal ? { signal } : {}), keyring.metaOf), isStored));
  }
  const [first] = records;
  if (!first) {
    const name = names.entity(tag);
    throw new HoldfastError('storage/not-found', 'never', `${storage.location} holds no object under "${name}".`, { data: { name } });
  }
  const packKey = Buffer.concat(records.map(({ key }) => deriveKey(Buffer.from(key, 'base64'), 'entity-packs')));
  return { entity: first.entity, tag, packKey, packs: { epoch: 1, key: new SealingKey(packKey) } };
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
 * The record of this entity, made when it is new. A record is never replaced or deleted: two first runs at once put one
 * each, under names of their own, and each lists after its put. So every key that any run may seal with is kept.
 */
export async function ensureEntity(
  storage: Storage, keyring: Keyring, entity: Entity, random: RandomBytes, signal?: AbortSignal,
): Promise<EntityRecord> {
  const tag = keyring.entityTag(entity.id);
  const found = await recordNames(storage, tag, signal);
  if (found.length > 0) return readRecords(storage, keyring, tag, found, signal);
  const name = names.entity(tag, random(16).toString('hex'));
  const stored: Stored = { entity, key: random(32).toString('base64') };
  await storage.put(name, sealJson(name, stored, keyring.meta, random), signal ? { signal } : {});
  return readEntity(storage, keyring, tag, signal);
}
