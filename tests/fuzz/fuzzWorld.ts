import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { Keyring } from '../../src/repository/keyring.ts';
import type { RepositoryContext } from '../../src/repository/repositoryContext.ts';
import { objectHeader } from '../../src/repository/sealedObject.ts';
import { systemClock, timeOrderedId } from '../../src/runtime/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { seededRandom } from '../repository/seeded.ts';

/** A repository that holds nothing but what is fed to a parser. All of it follows from nothing: samples are the same on every run. */
export const random = seededRandom(20_22);
export const keyring = Keyring.create('00'.repeat(16), random);
export const storage = new MemoryStorage();
export const scratch = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
export const context: RepositoryContext = { storage, keyring, cacheDirectory: join(scratch, 'cache'), clock: systemClock, random };
export const tag = keyring.entityTag('fuzz');
export const id = timeOrderedId(1_764_000_000_000, random);

/** Any bytes as a record with a valid seal: what is behind it is reached. */
export function sealRecord(name: string, text: Uint8Array): Buffer {
  const { epoch, key } = keyring.meta;
  return Buffer.concat([objectHeader('HFOB', epoch), key.seal(random(24), zstdCompressSync(text), Buffer.from(name))]);
}
