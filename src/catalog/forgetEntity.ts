import { createHash } from 'node:crypto';
import { removeCaches } from './cacheFiles.ts';

/** Deletes the local caches of an entity (by its id), unread: after an erasure, or when the entity is removed. */
export function forgetEntity(directory: string, entity: string): void {
  removeCaches(directory, createHash('sha256').update(entity).digest('hex'));
}
