import { isHoldfastError, type BinaryString } from '../domain/index.ts';
import { listAll } from '../storage/index.ts';
import { BlobReader } from './blobReader.ts';
import type { EntityRecord } from './entityKeys.ts';
import type { IdTable } from './idTable.ts';
import { ContentWalk, walkVisible } from './liveness.ts';
import type { Manifest, StoredManifest } from './manifest.ts';
import { lastSegment, names } from './names.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { isUnreadable } from './sealedObject.ts';
import type { SegmentRef } from './segment.ts';
import { LayerCursor, type SegmentSource } from './state.ts';

/** What is to be erased: keys of items, and beginnings of keys where those say what lies in a folder. */
export interface Selection {
  readonly keys: ReadonlySet<BinaryString>;
  readonly prefixes: readonly BinaryString[];
}

/** One item that is erased, as the snapshots show it. */
export interface ErasedItem {
  readonly names: Set<string>;
  /** How many different states of it there are. */
  versions: number;
}

/** What a snapshot has less of without the erased items. */
export interface Share {
  items: number;
  folders: number;
  bytes: number;
  skipped: number;
  failed: number;
  altered: number;
}

/** All that the snapshots of one entity show of a selection. */
export interface ErasedRows {
  readonly items: ReadonlyMap<BinaryString, ErasedItem>;
  /** By snapshot id. */
  readonly shares: ReadonlyMap<string, Share>;
}

/** Grows with what lies below the items: whatever is erased takes all below it along. */
export class EraseSet {
  readonly #keys: Set<BinaryString>;
  readonly #prefixes: readonly BinaryString[];

  constructor({ keys, prefixes }: Selection) {
    this.#keys = new Set(keys);
    this.#prefixes = prefixes;
  }

  get size(): number { return this.#keys.size; }

  has(key: BinaryString, parent: BinaryString): boolean {
    return this.#keys.has(key) || (parent !== '' && this.#keys.has(parent)) || this.#prefixes.some((prefix) => key.startsWith(prefix));
  }

  add(key: BinaryString): void {
    this.#keys.add(key);
  }
}

/** Reads all rows that a snapshot shows, until no further item turns out to lie below another. Memory: the erased items, not the others. */
export async function findErased(
  source: SegmentSource, stored: readonly StoredManifest[], chosen: EraseSet, signal?: AbortSignal,
): Promise<ErasedRows> {
  const manifests = stored.map(({ manifest }) => manifest);
  for (;;) {
    const before = chosen.size;
    const items = new Map<BinaryString, ErasedItem>();
    const shares = new Map(manifests.map(({ id }) => [id, emptyShare()]));
    await walkVisible(source, manifests.map(({ layers }) => layers), (row, showing) => {
      if (!chosen.has(row.key ?? '', row.parent)) return undefined;
      note(row, showing.map((root) => shares.get(manifests[root]?.id ?? '') as Share), items, chosen);
      return undefined;
    }, signal);
    if (chosen.size === before) return { items, shares };
  }
}

function emptyShare(): Share {
  return { items: 0, folders: 0, bytes: 0, skipped: 0, failed: 0, altered: 0 };
}

function note(cursor: LayerCursor, shares: readonly Share[], items: Map<BinaryString, ErasedItem>, chosen: EraseSet): void {
  const { row } = cursor;
  chosen.add(row.key);
  const item = items.get(row.key) ?? { names: new Set<string>(), versions: 0 };
  item.names.add(row.name);
  item.versions++;
  items.set(row.key, item);
  const state = row.outcome === '' ? undefined : (JSON.parse(row.outcome) as { state: 'skipped' | 'failed' | 'altered' }).state;
  for (const share of shares) {
    if (row.kind === 'folder') share.folders++;
    else share.items++;
    share.bytes += row.size;
    if (state !== undefined) share[state]++;
  }
}

/**
 * Segments of the manifests in which some entry is of an erased item, also one that no snapshot shows.
 * @param ids receives the blobs that those entries need, and those of entries in segments of runs that did not finish.
 */
export async function touchedSegments(
  context: RepositoryContext, entity: EntityRecord, manifests: readonly Manifest[], chosen: EraseSet, ids: IdTable, signal?: AbortSignal,
): Promise<Map<string, SegmentRef>> {
  const source = { storage: context.storage, keyring: context.keyring, tag: entity.tag };
  const refs = new Map(manifests.flatMap(({ layers }) => layers.flat()).map((ref) => [ref.id, ref]));
  const strays = await straySegments(source, refs, signal);
  const touched = new Map<string, SegmentRef>();
  const reader = new BlobReader(context, entity);
  const walk = new ContentWalk(reader);
  try {
    const isTouched = async (ref: SegmentRef): Promise<boolean> => {
      let found = false;
      const cursor = new LayerCursor(source, [ref], signal);
      await cursor.fill();
      while (cursor.key !== undefined) {
        if (chosen.has(cursor.key, cursor.parent)) {
          found = true;
          await walk.ids(cursor.content, (id) => ids.set(id, 0, 1), signal)?.catch(unlessMissing);
        }
        if (!cursor.step()) await cursor.fill();
      }
      return found;
    };
    for (const ref of refs.values()) if (await isTouched(ref)) touched.set(ref.id, ref);
    for (const ref of strays) await isTouched(ref).catch(unlessUnreadable);
    return touched;
  } finally {
    await reader.close();
  }
}

/** Of checkpoints, of unsealed manifests, and of runs that died before they had one. The removal of the snapshots takes them along. */
async function straySegments({ storage, tag }: SegmentSource, named: ReadonlyMap<string, SegmentRef>, signal?: AbortSignal): Promise<SegmentRef[]> {
  const strays: SegmentRef[] = [];
  for await (const { name, size } of listAll(storage, names.segment(tag, ''), signal ? { signal } : {})) {
    const id = lastSegment(name);
    if (!named.has(id)) strays.push({ id, size, rows: 0, first: '' });
  }
  return strays;
}

/** A run that goes on takes its segments away when it notices the erasure; nobody needs a damaged one. */
function unlessUnreadable(error: unknown): void {
  if (!isHoldfastError(error) || !(isUnreadable(error) || error.code === 'storage/not-found')) throw error;
}

/** What no snapshot shows may have been pruned already. */
function unlessMissing(error: unknown): void {
  if (!isHoldfastError(error) || !['repository/missing-blob', 'storage/not-found'].includes(error.code)) throw error;
}
