import { join } from 'node:path';
import { HoldfastError, isHoldfastError, type Entity } from '../domain/index.ts';
import { systemClock, systemRandom, type Clock, type RandomBytes } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import { BlobReader } from './blobReader.ts';
import { readCheckpoints } from './checkpoint.ts';
import { DoomedList } from './doomed.ts';
import { refuseCopy } from './copyMarker.ts';
import { learnEpochs, learnNewest } from './epochs.ts';
import { EpochStorage } from './epochStorage.ts';
import { ensureEntity, entityGeneration, readEntities, readEntity, type EntityRecord } from './entityKeys.ts';
import { withInitClaim } from './initClaim.ts';
import { ItemReader } from './itemReader.ts';
import { Keyring } from './keyring.ts';
import { checkSeal, readManifest, supersededIds, type Manifest, type StoredManifest } from './manifest.ts';
import { newLockSetting, writeLockSetting, type LockSetting } from './lockSetting.ts';
import { CONFIG, lastSegment, names } from './names.ts';
import { lockingFrom, refuseLostLock, seeLocked, withLockSetting } from './openLocked.ts';
import { pinSnapshot, type Pin } from './pin.ts';
import { PROFILES, type Profile } from './profile.ts';
import { packsOfCheckpoint } from './resumeCheckpoint.ts';
import { timeOfId } from './roots.ts';
import { firstReading } from './readings.ts';
import { configBytes, type Config } from './repositoryConfig.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { FORMAT_VERSION, isUnreadable, tooNew } from './sealedObject.ts';
import { waitingObjects } from './waitingObjects.ts';
import type { StoreSession } from './storeSession.ts';

export interface OpenOptions {
  /** Private directory under which local caches of all repositories are kept. */
  readonly cacheDirectory: string;
  readonly clock?: Clock;
  readonly random?: RandomBytes;
}

export interface InitOptions extends OpenOptions {
  /** Everything that a restore needs is locked against deletion. Needs a place that can. */
  readonly lock?: LockSetting | undefined;
}

export interface BeginOptions {
  readonly profile?: Profile['name'];
  /** Store workers; 2 unless told. */
  readonly workers?: number;
  /** New packed bytes after which what the run has is made durable; 256 MiB unless told. */
  readonly checkpointBytes?: number;
  readonly signal?: AbortSignal;
}

/** One account's backups at one location, with its keys unwrapped. */
export class Repository {
  readonly context: RepositoryContext;

  private constructor(context: RepositoryContext) {
    this.context = context;
  }

  /** Random id of the repository, 32 hex digits. */
  get id(): string { return this.context.keyring.repository; }

  /**
   * Makes a repository that `operatorKey` and `recoveryKey` (32 bytes each) open. Keys are written first and the
   * config last: without a config there is no repository. Refuses a place that has one, or where another is being made.
   * Errors with a lock: `storage/no-lock`.
   */
  static async init(
    place: Storage, operatorKey: Uint8Array, recoveryKey: Uint8Array, options: InitOptions,
  ): Promise<Repository> {
    const { clock = systemClock, random = systemRandom } = options;
    const lock = options.lock && newLockSetting(options.lock, { clock, random });
    const storage = lock ? await lockingFrom(place, lock, clock) : place;
    const made = Keyring.create(random(16).toString('hex'), random);
    const operator = names.key('operator');
    const recovery = names.key('recovery');
    const slot = Buffer.concat(made.wrap(operator, operatorKey, random));
    const keyring = Keyring.unwrap(operator, slot, operatorKey);
    const objects = [
      [operator, [slot]], [recovery, keyring.wrap(recovery, recoveryKey, random)], [CONFIG, [configBytes(keyring.repository)]],
    ] as const;
    await withInitClaim(storage, clock, random, async (stillMine) => {
      for (const [name, parts] of objects) {
        stillMine();
        if (name === CONFIG && lock) await writeLockSetting(storage, lock, { keyring, clock, random });
        await storage.put(name, parts);
      }
    });
    return new Repository(contextOf(storage, keyring, options.cacheDirectory, clock, random));
  }

  /** Opens with the operator's or the recovery key. Errors: `repository/none`, `repository/too-new`, `repository/wrong-key`. */
  static async open(place: Storage, key: Uint8Array, options: OpenOptions): Promise<Repository> {
    const clock = options.clock ?? systemClock;
    const seen = await seeLocked(place, clock);
    await readConfig(seen);
    const keyring = await unwrapAny(seen, key);
    await learnEpochs(seen, keyring);
    const storage = await withLockSetting(seen, keyring);
    return new Repository(contextOf(storage, keyring, options.cacheDirectory, clock, options.random ?? systemRandom));
  }

  async entities(signal?: AbortSignal): Promise<EntityRecord[]> {
    return readEntities(this.context.storage, this.context.keyring, signal);
  }

  /** Sealed snapshots, oldest first; of one entity or of all. Damaged ones throw, or are told to `onDamage` and passed over. */
  async snapshots(tag?: string, signal?: AbortSignal, onDamage?: (error: HoldfastError) => void): Promise<StoredManifest[]> {
    const { storage, keyring } = this.context;
    const prefix = tag === undefined ? 'seals/' : names.seal(tag, '');
    const found: StoredManifest[] = [];
    for await (const object of listAll(storage, prefix, signal ? { signal } : {})) {
      const [, entityTag = '', id = ''] = object.name.split('/');
      try {
        const stored = await readManifest(storage, keyring, entityTag, id, signal);
        await checkSeal(storage, keyring, stored, signal);
        found.push(stored);
      } catch (error) {
        if (onDamage && isHoldfastError(error) && isUnreadable(error)) onDamage(error);
        else if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
      }
    }
    const superseded = supersededIds(found.map(({ manifest }) => manifest));
    // Removed, and held by nothing but its lock.
    const waiting = await waitingObjects(this.context, signal);
    const standing = superseded.size + waiting.size === 0 ? found
      : found.filter(({ manifest: { tag: own, id } }) => !superseded.has(id) && !waiting.has(names.snapshot(own, id)));
    return standing.toSorted((a, b) => (a.manifest.id < b.manifest.id ? -1 : 1));
  }

  /** The newest sealed snapshot of one entity that can be read: a damaged one must not stop the next backup. Never one that an erasure has replaced. */
  async newest(tag: string, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    const ids: string[] = [];
    for await (const object of listAll(this.context.storage, names.seal(tag, ''), signal ? { signal } : {})) ids.push(lastSegment(object.name));
    // What stands for another one has its time in its id.
    const byTime = [...Map.groupBy(ids, timeOfId).values()];
    for (const group of byTime.toReversed()) {
      const readable = await this.#readable(tag, group, signal);
      const superseded = supersededIds(readable.map(({ manifest }) => manifest));
      const newest = readable.findLast(({ manifest }) => !superseded.has(manifest.id));
      if (newest) return newest;
    }
    return undefined;
  }

  async #readable(tag: string, ids: readonly string[], signal?: AbortSignal): Promise<StoredManifest[]> {
    const { storage, keyring } = this.context;
    const readable: StoredManifest[] = [];
    for (const id of ids) {
      try {
        const stored = await readManifest(storage, keyring, tag, id, signal);
        await checkSeal(storage, keyring, stored, signal);
        readable.push(stored);
      } catch (error) {
        if (!isPassedOver(error)) throw error;
      }
    }
    return readable;
  }

  /**
   * Starts a run of an entity: on its newest snapshot, pinned, and on what an unfinished run left.
   * Errors: `repository/is-copy`, `key/epoch-unknown`, `repository/lock-lost`.
   */
  async begin(entity: Entity, options: BeginOptions = {}): Promise<StoreSession> {
    const { storage, keyring, random } = this.context;
    const { signal } = options;
    await refuseCopy(this.context, signal);
    await learnNewest(this.context, signal);
    const record = await ensureEntity(storage, keyring, entity, random, signal);
    const newest = await this.newest(record.tag, signal);
    await refuseLostLock(this.context, newest?.manifest, signal);
    const pin = newest ? await pinSnapshot(this.context, newest.manifest, 'backup', signal) : undefined;
    try {
      return await this.#session(record, pin?.stands ? newest : undefined, pin, options);
    } catch (error) {
      await pin?.release();
      throw error;
    }
  }

  async #session(
    record: EntityRecord, predecessor: StoredManifest | undefined, pin: Pin | undefined, options: BeginOptions,
  ): Promise<StoreSession> {
    const { storage, keyring } = this.context;
    const { signal } = options;
    const doomed = await DoomedList.load(storage, keyring, signal);
    const checkpoints = await readCheckpoints(this.context, record.tag, signal);
    const candidate = checkpoints.filter((one) => one.predecessor === (predecessor?.manifest.id ?? null)).at(-1);
    const packs = candidate && await packsOfCheckpoint(this.context, record, candidate, doomed, signal);
    const start = {
      record, predecessor, pin, lastRun: checkpoints.at(-1)?.runId,
      checkpoint: packs && candidate, checkpointPacks: packs ?? new Set<string>(), checkpointBytes: options.checkpointBytes,
    };
    // Loaded by those who write alone: a short command spends most of its time on loading modules.
    const { StoreSession } = await import('./storeSession.ts');
    return new StoreSession(this.context, start, doomed, PROFILES[options.profile ?? 'default'], options.workers ?? 2);
  }

  /** The entity behind a tag, as manifests name it. */
  entity(tag: string, signal?: AbortSignal): Promise<EntityRecord> {
    return readEntity(this.context.storage, this.context.keyring, tag, signal);
  }

  /** See {@link entityGeneration}. */
  generation(tag: string, signal?: AbortSignal): Promise<string> {
    return entityGeneration(this.context.storage, tag, signal);
  }

  /** Runs `work` with the snapshot pinned, so that no prune takes away what it reads. */
  async reading<T>(
    manifest: Manifest, options: { purpose: string; workers?: number | undefined; signal?: AbortSignal }, work: (reader: ItemReader) => Promise<T>,
  ): Promise<T> {
    const { purpose, signal, workers = 2 } = options;
    const pin = await this.#pinWherePossible(manifest, purpose, signal);
    try {
      if (pin && !pin.stands) {
        throw new HoldfastError('repository/no-snapshot', 'input', `Snapshot ${manifest.id} was pruned a moment ago. Choose another one.`);
      }
      const reader = new ItemReader(this.context, await this.entity(manifest.tag, signal), workers, signal);
      try {
        return await work(reader);
      } finally {
        await reader.close();
      }
    } finally {
      await pin?.release();
    }
  }

  /** A repository that may only be read (a copy on read-only media, a key without write access) is read without a pin. */
  async #pinWherePossible(manifest: Manifest, purpose: string, signal?: AbortSignal): Promise<Pin | undefined> {
    try {
      return await pinSnapshot(this.context, manifest, purpose, signal);
    } catch (error) {
      if (isHoldfastError(error) && (error.code === 'storage/read-only' || error.code === 'storage/denied')) return undefined;
      throw error;
    }
  }

  reader(record: EntityRecord): BlobReader {
    return new BlobReader(this.context, record);
  }
}

/** What is no reason not to look at the next older snapshot. */
function isPassedOver(error: unknown): boolean {
  return isUnreadable(error) || (isHoldfastError(error) && error.code === 'storage/not-found');
}

function contextOf(storage: Storage, keyring: Keyring, cache: string, clock: Clock, random: RandomBytes): RepositoryContext {
  return { storage: new EpochStorage(storage, keyring), keyring, cacheDirectory: join(cache, keyring.repository), clock, random };
}

async function readConfig(storage: Storage): Promise<Config> {
  try {
    return await firstReading(storage, CONFIG, { read: (bytes) => parseConfig(storage, bytes), passOver: isUnreadable });
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    throw new HoldfastError('repository/none', 'input',
      `There is no repository at ${storage.location}. Make one with 'holdfast repo init', or check the address.`, { cause: error });
  }
}

/** Errors: `repository/damaged`, `repository/too-new`. */
function parseConfig({ location }: Storage, bytes: Uint8Array): Config {
  const config = jsonOf(bytes);
  if (!config || config.format !== 'holdfast' || !Number.isInteger(config.version)) {
    throw new HoldfastError('repository/damaged', 'never',
      `The file 'config' at ${location} is not one of Holdfast. Restore it from a copy of the repository.`, { data: { object: CONFIG } });
  }
  if (config.version > FORMAT_VERSION) throw tooNew('The repository', config.version);
  return config;
}

function jsonOf(bytes: Uint8Array): Config | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Config;
  } catch {
    return undefined;
  }
}

async function unwrapAny(storage: Storage, key: Uint8Array): Promise<Keyring> {
  let failure: unknown;
  for await (const { name } of listAll(storage, names.key(''))) {
    try {
      return await firstReading(storage, name, { read: (bytes) => Keyring.unwrap(name, bytes, key), passOver: isWrongKey });
    } catch (error) {
      if (!isWrongKey(error)) throw error;
      failure = error;
    }
  }
  throw failure ?? new HoldfastError('repository/damaged', 'never',
    `The key slots of the repository at ${storage.location} are missing. Restore the folder 'keys' from a copy.`);
}

function isWrongKey(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'repository/wrong-key';
}
