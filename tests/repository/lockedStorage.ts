import { HoldfastError } from '../../src/domain/index.ts';
import { InterceptedStorage, type StorageCall } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import type { TestClock } from './fixture.ts';

const KEPT = /^(packs|segments|snapshots|seals|entities|removals)\//;

/** A place that keeps what a repository is made of for some time after it was put, whatever anybody does. */
export class LockedStorage extends InterceptedStorage {
  readonly #clock: TestClock;
  readonly #life: number;
  readonly #ends = new Map<string, number>();

  constructor(clock: TestClock, life: number) {
    super(new MemoryStorage());
    this.#clock = clock;
    this.#life = life;
  }

  async lockedUntil(name: string): Promise<number | undefined> {
    const end = this.#ends.get(name);
    return end !== undefined && end > this.#clock.time ? end : undefined;
  }

  protected override async around<T>({ operation, name }: StorageCall, run: () => Promise<T>): Promise<T> {
    const until = operation === 'delete' ? await this.lockedUntil(name) : undefined;
    if (until !== undefined) throw new HoldfastError('storage/locked', 'input', `${name} is locked.`, { data: { until } });
    if (operation === 'put' && KEPT.test(name)) this.#ends.set(name, this.#clock.time + this.#life);
    return run();
  }
}
