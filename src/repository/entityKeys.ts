import type { Entity } from '../domain/index.ts';
import { isHoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import { deriveKey } from './accountKey.ts';
import type { Keyring } from './keyring.ts';
import { names } from './names.ts';
import { openJson, sealJson, type EpochKey } from './sealedObject.ts';
import { SealingKey } from './xaes.ts';

/** One entity of the repository: who it is and the key of its own packs. */
export interface EntityRecord {
  readonly entity: Entity;
  readonly tag: string;
  /** The raw key of its packs, for workers. */
  readonly packKey: Uint8Array;
  readonly packs: EpochKey;
}

interface Stored {
  readonly entity: Entity;
  /** Base64; random, so that deleting this object makes the entity's own packs unreadable for ever. */
  readonly key: string;
}

function toRecord(tag: string, stored: Stored): EntityRecord {
  const packKey = deriveKey(Buffer.from(stored.key, 'base64'), 'entity-packs');
  return { entity: stored.entity, tag, packKey, packs: { epoch: 1, key: new SealingKey(packKey) } };
}

export async function readEntity(storage: Storage, keyring: Keyring, tag: string, signal?: AbortSignal): Promise<EntityRecord> {
  const name = names.entity(tag);
  const bytes = await storage.get(name, signal ? { signal } : {});
  return toRecord(tag, openJson(name, bytes, keyring.metaOf) as Stored);
}

/** The record of this entity, made when it is new. Two makers at once: what is read back afterwards counts for both. */
export async function ensureEntity(
  storage: Storage, keyring: Keyring, entity: Entity, random: RandomBytes, signal?: AbortSignal,
): Promise<EntityRecord> {
  const tag = keyring.entityTag(entity.id);
  try {
    return await readEntity(storage, keyring, tag, signal);
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
  }
  const stored: Stored = { entity, key: random(32).toString('base64') };
  await storage.put(names.entity(tag), sealJson(names.entity(tag), stored, keyring.meta, random), signal ? { signal } : {});
  return readEntity(storage, keyring, tag, signal);
}
