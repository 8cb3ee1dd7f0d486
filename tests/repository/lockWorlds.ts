import { Repository, type LockSetting, type Manifest } from '../../src/repository/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { backupTree, openRepository, OPERATOR_KEY, RECOVERY_KEY, SnapshotProof, TestClock } from './fixture.ts';
import type { LockedPlace } from './lockedPlace.ts';
import type { Tree, TreeFile } from './tree.ts';

export const DAY = 86_400_000;
export const LOCK: LockSetting = { mode: 'compliance', days: 20 };

/** What is removable: the notes of running programs. */
export const NOTES = /^(pins|checkpoints|doomed|void|claims|init|copies)\//;

export const file = (content: string, size: number): TreeFile => ({ content, size });
export const FIRST: Tree = new Map([['a/one', file('r1', 300_000)], ['a/two', file('t2', 90_000)], ['mail', file('m3', 400)]]);
export const SECOND: Tree = new Map([...FIRST, ['a/three', file('r4', 120_000)]]);

interface World {
  readonly place: LockedPlace;
  readonly storage: Storage;
  readonly clock: TestClock;
  readonly cache: string;
  readonly repository: Repository;
  open(cache?: string, through?: Storage): Promise<Repository>;
}

type SoundWorld = World & { readonly manifest: Manifest };

/** Repositories in places with object lock, each in one of its own. */
export class LockWorlds {
  readonly #makePlace: (clock: TestClock) => Promise<LockedPlace>;
  readonly #caches: (name: string) => string;
  #count = 0;
  #sound: Promise<SoundWorld> | undefined;

  /** @param caches gives paths for local caches. */
  constructor(makePlace: (clock: TestClock) => Promise<LockedPlace>, caches: (name: string) => string) {
    this.#makePlace = makePlace;
    this.#caches = caches;
  }

  /** A path for one more cache, of a machine that knows nothing yet. */
  cache(name: string): string {
    return this.#caches(`${name}-${this.#count}`);
  }

  /** An empty place. */
  place(clock: TestClock): Promise<LockedPlace> {
    return this.#makePlace(clock);
  }

  /** A service has a clock of its own: ours starts at its time, and is moved ahead. */
  async make(lock: LockSetting | null = LOCK): Promise<World> {
    this.#count++;
    const clock = new TestClock();
    clock.time = Date.now();
    const place = await this.place(clock);
    const cache = this.cache('case');
    const storage = await place.open();
    const repository = await Repository.init(storage, OPERATOR_KEY, RECOVERY_KEY, { cacheDirectory: cache, clock, lock: lock ?? undefined });
    return { place, storage, clock, cache, repository, open: (other = cache, through = storage) => openRepository(through, other, clock) };
  }

  /** One with a snapshot of {@link FIRST}, the same for all cases that ask for it: each leaves it sound. */
  sound(): Promise<SoundWorld> {
    this.#sound ??= this.make().then(async (made) => ({ ...made, manifest: await backupTree(made.repository, 'e', FIRST, made.clock) }));
    return this.#sound;
  }
}

export async function restores(repository: Repository, manifest: Manifest, tree: Tree): Promise<void> {
  await new SnapshotProof(repository).holds(manifest, tree);
}

export function lockedFor(manifest: Manifest): number {
  return Date.parse(manifest.lock?.until ?? '');
}

/** Something that holds in a place with object lock. */
export interface LockCase {
  readonly name: string;
  run(worlds: LockWorlds): Promise<void>;
}
