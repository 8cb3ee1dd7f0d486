import { timeOrderedId } from '../runtime/index.ts';
import { Commit } from './commit.ts';
import { readEntity } from './entityKeys.ts';
import type { ErasedRows, Share } from './eraseScan.ts';
import type { EraseSet } from './eraseSet.ts';
import { objectLockEnd } from './lockSetting.ts';
import type { Manifest, ManifestRef, StoredManifest } from './manifest.ts';
import { readManifest } from './manifest.ts';
import { lockHere, lockingOf } from './openLocked.ts';
import { pinSnapshot } from './pin.ts';
import { prunedUnderRun } from './prunedUnderRun.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { timeOfId } from './roots.ts';
import { LayerWriter, type Layer, type SegmentRef } from './segment.ts';
import { LayerCursor, type SegmentSource } from './state.ts';

/**
 * For each snapshot that holds something of the erased items, makes one that is the same point in time without it, and seals it as
 * a run seals its own. Both stand until the older one is removed; it says of itself what it stands for, so a rerun goes on.
 */
export async function replaceSnapshots(
  context: RepositoryContext, tag: string, stored: readonly StoredManifest[], superseded: ReadonlyMap<string, ManifestRef>,
  chosen: EraseSet, touched: ReadonlyMap<string, SegmentRef>, erased: ErasedRows, signal?: AbortSignal,
): Promise<void> {
  const source = { storage: context.storage, keyring: context.keyring, tag };
  const written = new Map<string, readonly SegmentRef[]>();
  const successors = new Map(superseded);
  for (const one of stored) {
    const { manifest } = one;
    if (superseded.has(manifest.id) || !manifest.layers.flat().some(({ id }) => touched.has(id))) continue;
    const pin = await pinSnapshot(context, manifest, 'erasure', signal);
    try {
      if (!pin.stands) throw prunedUnderRun();
      const layers = await layersWithout(context, source, manifest.layers, touched, written, chosen, signal);
      const next = await replacement(context, one, layers, successors, erased);
      const lock = next.lock && { mode: next.lock.mode, until: Date.parse(next.lock.until) };
      await new Commit(context, await readEntity(context.storage, context.keyring, tag, signal), { newLayers: [], reliedOn: new Set(), pin, lock }).run(next, signal);
      const { sha256 } = await readManifest(context.storage, context.keyring, tag, next.id, signal);
      successors.set(manifest.id, { id: next.id, sha256 });
    } finally {
      await pin.release();
    }
  }
}

/** At the same place in the order of time. The cursor goes: what it says may name an erased item, and the next run has to list all. */
async function replacement(
  context: RepositoryContext, { manifest, sha256 }: StoredManifest, layers: readonly Layer[], successors: ReadonlyMap<string, ManifestRef>, erased: ErasedRows,
): Promise<Manifest> {
  const names = [...erased.items.values()].flatMap((item) => [...item.names]);
  const before = manifest.predecessor;
  const { lock: _, ...same } = manifest;
  const lock = await lockOf(context, manifest);
  return {
    ...same, ...(lock && { lock }), id: timeOrderedId(timeOfId(manifest.id), context.random), layers, cursor: null, replaces: { id: manifest.id, sha256 },
    predecessor: before && (successors.get(before.id) ?? before),
    counts: countsWithout(manifest.counts, erased.shares.get(manifest.id)),
    warnings: manifest.warnings.filter(({ item }) => !names.some((name) => isOf(item, name)))
      .map((warning) => (names.some((name) => speaksOf(warning.message, name)) ? { ...warning, message: NAMED_ERASED } : warning)),
  };
}

/** A warning of another item stays, whatever it said. */
const NAMED_ERASED = 'What was said here named something that was erased.';

/** Whether a warning may be of an item of that name, or of one below it: told by its name, or by its path. */
function isOf(item: string, name: string): boolean {
  return item === name || item.endsWith(`/${name}`) || item.split('/').includes(name);
}

/** As long as that of the older one, where what is new is locked for so long and as firmly: the setting may be another one by now. */
async function lockOf(context: RepositoryContext, manifest: Manifest): Promise<Manifest['lock']> {
  const setting = lockingOf(context)?.setting;
  const lock = await lockHere(context, manifest);
  if (!setting || !lock) return undefined;
  const now = context.clock.now();
  const until = Math.min(Date.parse(lock.until), objectLockEnd(setting, now));
  if (until <= now) return undefined;
  const mode = lock.mode === 'compliance' && setting.mode === 'compliance' ? 'compliance' : 'governance';
  return { mode, until: new Date(until).toISOString(), setting: setting.id };
}

/** Whether the name stands in the text, not as a part of another word: what is erased may be called "a". */
function speaksOf(text: string, name: string): boolean {
  if (name === '') return false;
  const isWord = (at: number): boolean => /[\p{L}\p{N}]/u.test(text.charAt(at));
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    if (!isWord(at - 1) && !isWord(at + name.length)) return true;
  }
  return false;
}

function countsWithout(counts: Manifest['counts'], share: Share | undefined): Manifest['counts'] {
  if (!share) return counts;
  const { items, folders, bytes, skipped, failed, altered } = share;
  return {
    ...counts, items: counts.items - items, folders: counts.folders - folders, bytes: counts.bytes - bytes,
    skipped: counts.skipped - skipped, failed: counts.failed - failed, altered: counts.altered - altered,
  };
}

async function layersWithout(
  context: RepositoryContext, source: SegmentSource, layers: readonly Layer[], touched: ReadonlyMap<string, SegmentRef>,
  written: Map<string, readonly SegmentRef[]>, chosen: EraseSet, signal?: AbortSignal,
): Promise<Layer[]> {
  const made: Layer[] = [];
  for (const layer of layers) {
    const refs: SegmentRef[] = [];
    for (const ref of layer) {
      if (!touched.has(ref.id)) {
        refs.push(ref);
        continue;
      }
      const known = written.get(ref.id) ?? await segmentWithout(context, source, ref, chosen, signal);
      written.set(ref.id, known);
      refs.push(...known);
    }
    made.push(refs);
  }
  return made.filter((layer) => layer.length > 0);
}

async function segmentWithout(
  context: RepositoryContext, source: SegmentSource, ref: SegmentRef, chosen: EraseSet, signal?: AbortSignal,
): Promise<readonly SegmentRef[]> {
  const writer = new LayerWriter(context.storage, context.keyring, source.tag, context.clock, context.random);
  const cursor = new LayerCursor(source, [ref], signal);
  await cursor.fill();
  while (cursor.key !== undefined) {
    if (!chosen.has(cursor.key, cursor.parent)) await writer.add(cursor.change, signal);
    if (!cursor.step()) await cursor.fill();
  }
  await writer.flush(signal);
  return writer.refs;
}
