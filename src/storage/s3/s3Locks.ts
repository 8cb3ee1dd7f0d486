import {
  DeleteObjectCommand, GetObjectLockConfigurationCommand, GetObjectRetentionCommand, ListObjectVersionsCommand, PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { isHoldfastError } from '../../domain/index.ts';
import { systemClock } from '../../runtime/index.ts';
import { checkRange } from '../byteRange.ts';
import type { Range } from '../contract.ts';
import { checkPrefix, isObjectName } from '../objectName.ts';
import type { Lock, LockState, ObjectLocks, VersionedObject, VersionPage } from '../objectLocks.ts';
import { lockFailed, noLocks, objectLocked, storageUnavailable } from '../storageErrors.ts';
import type { S3Calls } from './s3Calls.ts';
import { codeOf, statusOf } from './s3Errors.ts';
import { getBytes, UNKNOWN_BYTES } from './s3Get.ts';
import { modeOf, retention, wholeSeconds } from './s3Lock.ts';

const MOST_LISTED = 1000;
/** What services answer where nothing is locked, or nothing can be. */
const UNLOCKED = new Set(['NoSuchObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError', 'ObjectLockConfigurationNotFound']);
/** What those say that know no locks at all. */
const UNKNOWN = new Set(['NotImplemented', 'MethodNotAllowed']);
/** How far the clock of a service may be behind ours. */
const CLOCK_MS = 15 * 60_000;

/** What to make of it when a service says no. */
interface Denial {
  readonly name: string;
  readonly version: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Whether that lock is the reason. */
  readonly holds: (found: Lock) => boolean;
  /** What to try where that lock is not the reason; undefined: nothing. */
  readonly otherwise?: (found: Lock) => Promise<void> | undefined;
}
const YEAR_DAYS = 365;

type Call = { readonly signal?: AbortSignal | undefined };
interface Position {
  readonly key?: string | undefined;
  readonly version?: string | undefined;
}

/** Versions and locks of the objects below a prefix of an S3 bucket. */
export class S3Locks implements ObjectLocks {
  readonly #calls: S3Calls;

  constructor(calls: S3Calls) {
    this.#calls = calls;
  }

  async state({ signal }: Call = {}): Promise<LockState> {
    const { client, place } = this.#calls;
    return await this.#calls.run({ verb: 'look at the locks of', name: '' }, signal, 0, async (abortSignal) => {
      try {
        const command = new GetObjectLockConfigurationCommand({ Bucket: place.bucket });
        const { ObjectLockConfiguration: found } = await client.send(command, { abortSignal });
        if (found?.ObjectLockEnabled !== 'Enabled') return { available: false };
        const { Mode, Days, Years } = found.Rule?.DefaultRetention ?? {};
        const days = Days ?? (Years ?? 0) * YEAR_DAYS;
        return days > 0 ? { available: true, rule: { mode: modeOf(Mode), days } } : { available: true };
      } catch (error) {
        if (UNLOCKED.has(codeOf(error)) || UNKNOWN.has(codeOf(error))) return { available: false };
        throw error;
      }
    });
  }

  async versions(prefix: string, options: Call & { readonly after?: string | undefined; readonly limit?: number | undefined } = {}): Promise<VersionPage> {
    checkPrefix(prefix);
    const { after, limit = MOST_LISTED, signal } = options;
    const found = new Map<string, Gathered>();
    let from: Position | undefined = after === undefined ? {} : { key: this.#calls.place.prefix + after };
    // The last object of a page may go on in the next one: it is left to that, unless it is the only one.
    do {
      from = await this.#page(prefix, from, Math.min(MOST_LISTED, Math.max(2, limit)), found, signal);
      if (after !== undefined) for (const name of found.keys()) if (name <= after) found.delete(name);
    } while (from !== undefined && found.size < 2);
    const objects = [...found].map(([name, gathered]) => ({ name, ...gathered }));
    if (from === undefined) return { objects };
    const whole = objects.slice(0, -1);
    const next = whole.at(-1)?.name;
    return next === undefined ? { objects: whole } : { objects: whole, next };
  }

  /** Adds what one request gives. @returns where to go on; undefined at the end. */
  async #page(
    prefix: string, from: Position, limit: number, found: Map<string, Gathered>, signal: AbortSignal | undefined,
  ): Promise<Position | undefined> {
    const { client, place, location } = this.#calls;
    return await this.#calls.run({ verb: 'list', name: prefix }, signal, 0, async (abortSignal) => {
      const reply = await client.send(new ListObjectVersionsCommand({
        Bucket: place.bucket, Prefix: place.prefix + prefix, MaxKeys: limit,
        ...(from.key !== undefined && { KeyMarker: from.key }), ...(from.version !== undefined && { VersionIdMarker: from.version }),
      }), { abortSignal });
      const versions = (reply.Versions ?? []).map((one) => ({ ...one, deletion: false }));
      const deletions = (reply.DeleteMarkers ?? []).map((one) => ({ ...one, deletion: true }));
      const byName = [...versions, ...deletions].map((one) => ({ ...one, name: (one.Key ?? '').slice(place.prefix.length) }))
        .filter(({ name }) => isObjectName(name)).toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
      for (const one of byName) gather(found, one);
      if (reply.IsTruncated !== true) return undefined;
      const { NextKeyMarker: key, NextVersionIdMarker: version } = reply;
      const stuck = key === undefined || (key === from.key && version === from.version);
      if (stuck) throw storageUnavailable(location, 'a listing of versions says that there is more, and not how to get it');
      return { key, version };
    });
  }

  async read(name: string, version: string, { range, signal }: Call & { readonly range?: Range | undefined } = {}): Promise<Uint8Array> {
    checkRange(range);
    if (range?.length === 0) return new Uint8Array();
    const object = { ...this.#calls.object(name), VersionId: version };
    return await this.#calls.run({ verb: 'read', name }, signal, range?.length ?? UNKNOWN_BYTES, (abortSignal) =>
      getBytes(this.#calls, object, range, abortSignal));
  }

  lockOf(name: string, version: string, { signal }: Call = {}): Promise<Lock | undefined> {
    return this.#lockOf(name, version, signal);
  }

  lock(name: string, version: string, lock: Lock, { signal }: Call = {}): Promise<void> {
    return this.#set(name, version, lock, signal);
  }

  /** After a put with a lock: reads it back, and sets it where the service took no notice (Ceph 16 does so with uploads in parts). */
  async ensure(name: string, version: string | undefined, lock: Lock, signal: AbortSignal | undefined): Promise<void> {
    const found = await this.#lockOf(name, version, signal);
    if (!found) await this.#set(name, version, lock, signal);
    else this.#prove(name, found, lock);
  }

  async #set(name: string, version: string | undefined, lock: Lock, signal: AbortSignal | undefined): Promise<void> {
    const { client } = this.#calls;
    const object = { ...this.#calls.object(name), ...(version !== undefined && { VersionId: version }) };
    const weakens = (found: Lock): boolean => wholeSeconds(lock.until) < found.until || (found.mode === 'compliance' && lock.mode !== 'compliance');
    const put = async (verb: 'lock' | 'lock more strictly', bypass: boolean): Promise<void> => await this.#calls.run({ verb, name }, signal, 0, async (abortSignal) => {
      await client.send(new PutObjectRetentionCommand({ ...object, Retention: retention(lock), ...(bypass && { BypassGovernanceRetention: true }) }), { abortSignal });
    });
    // Some services (Ceph 16) count another mode as a change of the lock of governance, which takes the header that could shorten it as well. So the header is
    // sent for that alone: compliance in the place of governance, and for no less time.
    const stricter = (found: Lock): boolean => found.mode === 'governance' && lock.mode === 'compliance' && !weakens(found);
    await this.#unlessLocked({ name, version, signal, holds: weakens, otherwise: (found) => (stricter(found) ? put('lock more strictly', true) : undefined) }, () => put('lock', false));
    this.#prove(name, await this.#lockOf(name, version, signal), lock);
  }

  async remove(name: string, version: string, { signal }: Call = {}): Promise<void> {
    const { client } = this.#calls;
    const command = new DeleteObjectCommand({ ...this.#calls.object(name), VersionId: version });
    await this.#unlessLocked({ name, version, signal, holds: () => true }, () =>
      this.#calls.run({ verb: 'delete a version of', name }, signal, 0, async (abortSignal) => { await client.send(command, { abortSignal }); }));
  }

  /** Services say of a lock what they say of missing rights: it is the lock where one stands that explains it. */
  async #unlessLocked({ name, version, signal, holds, otherwise }: Denial, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isDenied(error)) throw error;
      const found = await this.#lockOf(name, version, signal).catch((failure: unknown) => {
        if (isDenied(failure)) throw error;
        throw failure;
      });
      if (!found || found.until <= systemClock.now() - CLOCK_MS) throw error;
      if (holds(found)) throw objectLocked(this.#calls.location, name, found.until, error);
      const second = otherwise?.(found);
      if (!second) throw error;
      await second;
    }
  }

  /** Throws what a put with a lock failed with: a bucket that has no lock refuses it without a word why. */
  async explain(error: unknown, signal: AbortSignal | undefined): Promise<never> {
    const refused = isHoldfastError(error) && error.code === 'storage/refused' && error.data['status'] === 400;
    throw refused && !(await this.state({ signal })).available ? noLocks(this.#calls.location, error) : error;
  }

  /** Errors: `storage/lock-failed`. */
  #prove(name: string, found: Lock | undefined, lock: Lock): void {
    const { location } = this.#calls;
    if (!found) throw lockFailed(location, name, 'it has no lock');
    if (found.until < wholeSeconds(lock.until)) throw lockFailed(location, name, `its lock ends on ${new Date(found.until).toISOString()}`);
    if (found.mode !== lock.mode && lock.mode === 'compliance') throw lockFailed(location, name, `its mode is ${found.mode}`);
  }

  async #lockOf(name: string, version: string | undefined, signal: AbortSignal | undefined): Promise<Lock | undefined> {
    const { client } = this.#calls;
    return await this.#calls.run({ verb: 'look at the lock of', name }, signal, 0, async (abortSignal) => {
      try {
        const command = new GetObjectRetentionCommand({ ...this.#calls.object(name), ...(version !== undefined && { VersionId: version }) });
        const { Retention } = await client.send(command, { abortSignal });
        const until = Retention?.RetainUntilDate?.getTime();
        return until === undefined ? undefined : { mode: modeOf(Retention?.Mode), until };
      } catch (error) {
        if (UNLOCKED.has(codeOf(error))) return undefined;
        throw statusOf(error) === 400 && codeOf(error) === 'InvalidRequest' ? noLocks(this.#calls.location, error) : error;
      }
    });
  }
}

function isDenied(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'storage/denied';
}

interface Gathered {
  readonly versions: VersionedObject['versions'][number][];
  readonly deletions: string[];
  deleted: boolean;
}

function gather(
  found: Map<string, Gathered>,
  { name, VersionId = 'null', IsLatest, deletion, ...rest }: { name: string; VersionId?: string | undefined; IsLatest?: boolean | undefined; deletion: boolean; Size?: number | undefined; ETag?: string | undefined },
): void {
  const object = found.get(name) ?? { versions: [], deletions: [], deleted: false };
  found.set(name, object);
  if (!deletion) object.versions.push({ id: VersionId, size: rest.Size ?? 0, etag: rest.ETag ?? '' });
  else {
    object.deletions.push(VersionId);
    if (IsLatest === true) object.deleted = true;
  }
}

