import { isHoldfastError } from '../domain/index.ts';
import type { RandomBytes } from '../runtime/index.ts';
import { listAll, type Storage } from '../storage/index.ts';
import type { Keyring } from './keyring.ts';
import { lastSegment, names } from './names.ts';
import { isText, listOf, objectOf, orMissing, shaped } from './recordShape.ts';
import { openJson, sealJson } from './sealedObject.ts';

/** One pruner's announcement of what it deletes, or a part of it; it stands until all that is gone. */
export interface DoomedRecord {
  readonly n: number;
  readonly id: string;
  /** Full names of packs, manifests, catalog and index segments. */
  readonly objects: readonly string[];
  /** Set when all is done but the deletion: what is named is locked, and goes when its locks have ended. */
  readonly waits?: WaitNote;
}

/** What is said of objects that only wait for the end of their locks. */
export interface WaitNote {
  /** ISO 8601: by then every lock has ended, whatever runs go on. */
  readonly until: string;
  /** Of an erasure: the keyed hash that its removals have. */
  readonly items?: string;
}

const PREFIX = 'doomed/';
const isDoomed = objectOf({ objects: listOf(isText), waits: orMissing(objectOf({ until: isText, items: orMissing(isText) })) });

/** All records that stand, read once; immutable. */
export class DoomedList {
  readonly records: ReadonlyMap<string, DoomedRecord>;
  readonly #objects = new Set<string>();
  /** Ids of doomed packs, whatever their stream. */
  readonly packs = new Set<string>();
  /** Full names of all that only waits for the end of its locks. */
  readonly waiting = new Set<string>();

  constructor(records: ReadonlyMap<string, DoomedRecord>) {
    this.records = records;
    for (const record of records.values()) {
      for (const name of record.objects) {
        this.#objects.add(name);
        if (record.waits) this.waiting.add(name);
        if (name.startsWith('packs/')) this.packs.add(lastSegment(name));
      }
    }
  }

  has(objectName: string): boolean { return this.#objects.has(objectName); }

  /** All records but those of the names `except`. */
  static async load(storage: Storage, keyring: Keyring, signal?: AbortSignal, except: readonly string[] = []): Promise<DoomedList> {
    const records = new Map<string, DoomedRecord>();
    for await (const object of listAll(storage, PREFIX, signal ? { signal } : {})) {
      if (except.includes(object.name)) continue;
      try {
        const bytes = await storage.get(object.name, signal ? { signal } : {});
        records.set(object.name, shaped<DoomedRecord>(object.name, openJson(object.name, bytes, keyring.metaOf), isDoomed));
      } catch (error) {
        if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
      }
    }
    return new DoomedList(records);
  }
}

export function doomedBytes(name: string, record: DoomedRecord, keyring: Keyring, random: RandomBytes): Buffer[] {
  return sealJson(name, record, keyring.meta, random);
}

/** So many of the longest names stay far below what a record may hold. */
const MOST_NAMES = 200_000;

/** One pruner's announcement of all `objects`, by name: in several records where they are many. Numbers start at `first`. */
export function doomedRecords(
  first: number, pruner: string, objects: readonly string[], most: number = MOST_NAMES,
): Map<string, DoomedRecord> {
  const records = new Map<string, DoomedRecord>();
  for (let at = 0, n = first; at < objects.length; at += most, n++) {
    records.set(names.doomed(n, pruner), { n, id: pruner, objects: objects.slice(at, at + most) });
  }
  return records;
}
