import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isHoldfastError, messageOf, type Progress } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { StreamIndex } from './blobIndex.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { lastSegment } from './names.ts';
import { LockLedger } from './lockLedger.ts';
import { LockedTally } from './lockedTally.ts';
import type { Repository } from './repository.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isUnreadable } from './sealedObject.ts';
import { readPackDirectory } from './strayPacks.ts';
import { indexedStream, streamKeys, streamOf } from './streams.ts';
import { dropIndexCache } from './sweepIndexCache.ts';
import { waitingObjects } from './waitingObjects.ts';

/** Blobs of one new index segment; about 100 bytes of memory each while it is made. */
const SEGMENT_BLOBS = 400_000;

export interface RebuildOptions {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

export interface RebuildResult {
  /** Packs whose directories were read, and the blobs in them. */
  readonly packs: number;
  readonly blobs: number;
  /** Packs whose directories cannot be read; where an old index knows what is in them, that was kept. */
  readonly unreadable: readonly { readonly object: string; readonly message: string }[];
}

/**
 * Makes the whole index anew from what the packs say of themselves, then deletes the old one and all local caches.
 * Safe beside running backups: what they index meanwhile stays. Packs that only wait for the end of their locks are left out: what is needed of them is
 * elsewhere, and a prune that misses it looks there. Errors: those of the storage.
 */
export async function rebuild(repository: Repository, options: RebuildOptions = {}): Promise<RebuildResult> {
  const { context } = repository;
  const old: string[] = [];
  for await (const object of listAll(context.storage, 'index/', signalOf(options))) old.push(object.name);
  const run = new Rebuild(context, options);
  const waiting = await waitingObjects(context, options.signal);
  for await (const object of listAll(context.storage, 'packs/', signalOf(options))) if (!waiting.has(object.name)) await run.pack(object.name, object.size);
  await run.finish();
  // Locked ones stay: they say nothing that is wrong, and a later run of this takes them away.
  const locked = new LockedTally(context);
  for (const name of old) await locked.deleteUnlessLocked(name, options.signal);
  await dropIndexCache(context, () => true);
  LockLedger.forget(context.cacheDirectory);
  await rm(join(context.cacheDirectory, 'catalog'), { recursive: true, force: true, maxRetries: 3 });
  return { packs: run.packs, blobs: run.blobs, unreadable: run.unreadable };
}

function signalOf(options: RebuildOptions): { signal?: AbortSignal } {
  return options.signal ? { signal: options.signal } : {};
}

/** Gathers the directories of packs, stream after stream. */
class Rebuild {
  packs = 0;
  blobs = 0;
  readonly unreadable: { object: string; message: string }[] = [];
  readonly #context: RepositoryContext;
  readonly #options: RebuildOptions;
  readonly #keys: ReturnType<typeof streamKeys>;
  #stream = '';
  #pending: IndexedPack[] = [];
  #pendingBlobs = 0;
  #lost = new Set<string>();

  constructor(context: RepositoryContext, options: RebuildOptions) {
    this.#context = context;
    this.#options = options;
    this.#keys = streamKeys(context);
  }

  async pack(name: string, size: number): Promise<void> {
    const stream = streamOf(name);
    if (stream !== this.#stream) {
      await this.finish();
      this.#stream = stream;
    }
    const id = lastSegment(name);
    try {
      const keyOf = await this.#keys(stream, this.#options.signal);
      const frames = await readPackDirectory(this.#context, stream, id, size, keyOf, this.#options.signal);
      this.#pending.push({ id, size, frames });
      const blobs = frames.reduce((sum, frame) => sum + frame.lengths.length, 0);
      this.packs++;
      this.blobs += blobs;
      this.#pendingBlobs += blobs;
    } catch (error) {
      const missing = isHoldfastError(error) && error.code === 'storage/not-found';
      if (!missing && !isUnreadable(error)) throw error;
      // Deleted by a prune since it was listed: nothing is missing.
      if (missing && error.data['name'] === name) return;
      this.unreadable.push({ object: name, message: messageOf(error) });
      this.#lost.add(id);
    }
    this.#options.progress?.({ type: 'progress', stage: 'rebuild', items: this.packs, bytes: 0 });
    if (this.#pendingBlobs >= SEGMENT_BLOBS) await this.#write();
  }

  async finish(): Promise<void> {
    await this.#write();
    if (this.#lost.size > 0) await this.#salvage();
    this.#lost = new Set();
  }

  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    await StreamIndex.add(this.#context, await this.#indexed(), this.#pending, this.#options.signal);
    this.#pending = [];
    this.#pendingBlobs = 0;
  }

  #indexed(): ReturnType<typeof indexedStream> {
    return indexedStream(this.#context, this.#stream, this.#options.signal);
  }

  /** What the old index, as far as it can be read, knows of packs that do not tell themselves. */
  async #salvage(): Promise<void> {
    const index = await StreamIndex.loadReadable(this.#context, await this.#indexed(), this.#options.signal);
    try {
      await index.copy((pack) => this.#lost.has(pack), this.#options.signal);
    } finally {
      index.close();
    }
  }
}
