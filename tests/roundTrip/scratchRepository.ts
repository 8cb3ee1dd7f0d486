import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../src/domain/index.ts';
import { Repository } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { CountingStorage, MemoryStorage } from '../../src/storage/trial/index.ts';

export const never = new AbortController().signal;
export const unheard: Progress = () => undefined;

/** A repository of its own with caches in a directory that goes with it. */
export class ScratchRepository implements Disposable {
  readonly directory: string;
  readonly storage: CountingStorage;
  readonly repository: Repository;

  private constructor(directory: string, storage: CountingStorage, repository: Repository) {
    this.directory = directory;
    this.storage = storage;
    this.repository = repository;
  }

  /** In memory unless a storage is given. */
  static async make(inner: Storage = new MemoryStorage()): Promise<ScratchRepository> {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-scratch-'));
    const storage = new CountingStorage(inner);
    const key = createHash('sha256').update('operator').digest();
    const recovery = createHash('sha256').update('recovery').digest();
    return new ScratchRepository(directory, storage, await Repository.init(storage, key, recovery, { cacheDirectory: join(directory, 'cache') }));
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
