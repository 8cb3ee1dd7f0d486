import { HoldfastError } from '../domain/index.ts';
import { freeBuffer, releaseMemory, type Clock, type RandomBytes } from '../runtime/index.ts';
import type { Storage } from '../storage/index.ts';
import type { SealedFrame } from './frame.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { PackBuilder, type BuiltPack } from './pack.ts';
import type { EpochKey } from './sealedObject.ts';

/** Packs that may be on their way to the storage at once: each is held in memory. */
const PUTS = 1;

/** Turns the frames of one stream into packs and puts them. A failed put fails every later call. */
export class PackWriter {
  readonly #storage: Storage;
  readonly #builder: PackBuilder;
  readonly #key: EpochKey;
  readonly #putting = new Set<Promise<void>>();
  readonly #stored: IndexedPack[] = [];
  /** Full names of all packs that were put, those of failed puts too. */
  readonly names: string[] = [];
  /** Bytes of all packs stored. */
  bytes = 0;
  #failure: unknown;

  constructor(storage: Storage, stream: string, key: EpochKey, clock: Clock, random: RandomBytes) {
    this.#storage = storage;
    this.#builder = new PackBuilder(stream, clock, random);
    this.#key = key;
  }

  /** The frame's bytes are the writer's from now on: they are given up when they are stored. */
  add(frame: SealedFrame): void {
    if (this.#builder.add(frame)) this.#put(this.#builder.build(this.#key));
  }

  /** Resolves when there is room for more frames. */
  async ready(): Promise<void> {
    while (this.#putting.size >= PUTS) await Promise.race(this.#putting);
    this.#check();
  }

  /** All frames added so far are in packs that are stored; the packs are handed over to be indexed. */
  async flush(): Promise<IndexedPack[]> {
    if (!this.#builder.empty) this.#put(this.#builder.build(this.#key));
    await Promise.all(this.#putting);
    this.#check();
    return this.#stored.splice(0);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #put(pack: BuiltPack): void {
    this.names.push(pack.name);
    const put = this.#storage.put(pack.name, pack.parts).then(
      () => {
        this.#stored.push({ id: pack.id, size: pack.size, frames: pack.frames });
        this.bytes += pack.size;
        for (const part of pack.parts) freeBuffer(part);
        releaseMemory();
      },
      (error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new HoldfastError('storage/unavailable', 'retry', String(error));
      },
    ).finally(() => this.#putting.delete(put));
    this.#putting.add(put);
  }
}
