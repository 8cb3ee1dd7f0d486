import { hash } from 'node:crypto';
import { HoldfastError, isHoldfastError } from '../domain/index.ts';
import type { DueSnapshot } from './copyDue.ts';
import type { CopyView } from './copyView.ts';
import { inLanes } from './inLanes.ts';
import { lastSegment, names } from './names.ts';
import { namesUnder } from './roots.ts';
import { damaged, isUnreadable } from './sealedObject.ts';
import { proveSegment, type SegmentRef } from './segment.ts';

/** Segments in work at once; each may have 32 MiB. */
const LANES = 2;

/**
 * Copies the segments of one entity's snapshots, then their manifests, the oldest first.
 * @returns the snapshots whose manifests stand in the copy now; of the others it is told what is wrong.
 */
export async function copyManifests(view: CopyView, tag: string, due: readonly DueSnapshot[]): Promise<DueSnapshot[]> {
  const bad = await copySegments(view, tag, due);
  const standing: DueSnapshot[] = [];
  for (const snapshot of due) {
    const name = names.snapshot(tag, snapshot.manifest.id);
    const missing = snapshot.manifest.layers.flat().find((ref) => bad.has(ref.id));
    if (missing && !snapshot.known) view.find(name, 'left-out', `The snapshot was not copied, since ${names.segment(tag, missing.id)} could not be.`);
    if (missing) continue;
    if (snapshot.known || await copyManifest(view, name, snapshot)) standing.push(snapshot);
  }
  return standing;
}

/** False where a prune has taken it: then there is no such snapshot any more. */
async function copyManifest(view: CopyView, name: string, { sha256 }: DueSnapshot): Promise<boolean> {
  try {
    const bytes = await view.get(name);
    if (hash('sha256', bytes, 'hex') !== sha256) throw damaged(name, 'it is not the manifest that was sealed');
    await view.put(name, bytes);
    return true;
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'storage/not-found') throw error;
    return false;
  }
}

/** @returns the ids of those that are not in the copy. */
async function copySegments(view: CopyView, tag: string, due: readonly DueSnapshot[]): Promise<Set<string>> {
  const refs = new Map(due.flatMap(({ manifest }) => manifest.layers.flat()).map((ref) => [ref.id, ref]));
  for (const name of await namesUnder(view.target, names.segment(tag, ''), view.signal)) refs.delete(lastSegment(name));
  const bad = new Set<string>();
  await inLanes(refs.values(), LANES, async (ref) => {
    if (!(await copySegment(view, names.segment(tag, ref.id), ref))) bad.add(ref.id);
  });
  return bad;
}

async function copySegment(view: CopyView, name: string, ref: SegmentRef): Promise<boolean> {
  try {
    const bytes = await view.get(name);
    if (bytes.length !== ref.size) throw damaged(name, `it has ${bytes.length} bytes, not ${ref.size}`);
    proveSegment(name, bytes, view.source.keyring);
    await view.put(name, bytes);
    return true;
  } catch (error) {
    if (!(error instanceof HoldfastError) || !(isUnreadable(error) || error.code === 'storage/not-found')) throw error;
    if (isUnreadable(error)) view.findError(name, error);
    return false;
  }
}
