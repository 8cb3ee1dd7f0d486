import { makeScratch } from '../runtime/index.ts';
import type { Progress } from '../domain/index.ts';
import { entityOrFinding, ItemCheck } from './checkItems.ts';
import { CheckPool } from './checkPool.ts';
import { LockCheck } from './checkLocks.ts';
import { checkRecords, checkSnapshots, readRemoved, type Removed } from './checkRecords.ts';
import { FindingList, NAMED_ITEMS, type CheckReport, type Finding } from './checkReport.ts';
import { CheckStream, type CheckView, type RawKeys } from './checkStream.ts';
import { DoomedList } from './doomed.ts';
import type { EntityRecord } from './entityKeys.ts';
import type { Manifest } from './manifest.ts';
import { lastSegment, names, SHARED } from './names.ts';
import type { Repository } from './repository.ts';
import { listAll } from '../storage/index.ts';
import { namesUnder, streamsUnder, tagAndId } from './roots.ts';

export interface CheckOptions {
  /** Share of the packs, 0 to 100, of which every byte is read and proved. Default 0: packs are only looked for. */
  readonly readData?: number;
  /** Threads that prove packs. Default 2. */
  readonly workers?: number;
  /** Items that a finding names at most. Default 10. */
  readonly named?: number;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/**
 * Looks at everything that the repository stores and tells what is wrong with it and which items that hits. Changes
 * nothing and trusts no local cache. Damage is reported, not thrown; errors are those of a storage that does not answer.
 */
export async function check(repository: Repository, options: CheckOptions = {}): Promise<CheckReport> {
  await using scratch = await makeScratch('check');
  const context = { ...repository.context, cacheDirectory: scratch.path };
  const counts = { snapshots: 0, items: 0, packs: 0, blobs: 0, packsRead: 0, bytesRead: 0 };
  const pool = new CheckPool(context.keyring.idKey, options.workers ?? 2);
  const view: CheckView = {
    context, pool, counts, errors: new FindingList(), notices: new FindingList(), percent: options.readData ?? 0, named: options.named ?? NAMED_ITEMS,
    signal: options.signal,
    progress: () => options.progress?.({ type: 'progress', stage: 'check', items: counts.items, bytes: counts.bytesRead }),
  };
  try {
    await checkRecords(view);
    const snapshots = await checkStreams(view, await readRemoved(view));
    const lock = await LockCheck.run(view, snapshots);
    return { errors: await stillWrong(view), notices: view.notices.list(), counts, ...(lock && { lock }) };
  } finally {
    await pool.close();
  }
}

/** @returns the snapshots of each entity. */
async function checkStreams(view: CheckView, removed: Removed): Promise<Map<string, readonly Manifest[]>> {
  const found = new Map<string, readonly Manifest[]>();
  const tags = new Set<string>();
  for (const prefix of ['snapshots/', 'seals/', 'segments/', 'index/', 'packs/']) {
    for (const stream of await streamsUnder(view.context, prefix, view.signal)) tags.add(stream);
  }
  for (const name of await namesUnder(view.context, names.entity(''), view.signal)) tags.add(tagAndId(name).tag);
  tags.delete(SHARED);
  const { keyring } = view.context;
  const shared = await CheckStream.open(view, SHARED, (epoch) => (keyring.hasEpoch(epoch) ? keyring.sharedRawOf(epoch) : undefined));
  try {
    for (const tag of tags) found.set(tag, await checkEntity(view, tag, removed, shared));
  } finally {
    shared.close();
  }
  return found;
}

async function checkEntity(view: CheckView, tag: string, journal: Removed, shared: CheckStream): Promise<readonly Manifest[]> {
  const snapshots = await checkSnapshots(view, tag, journal);
  const entity = await entityOrFinding(view, tag, snapshots);
  await checkSegments(view, tag, snapshots);
  const removed = !entity && snapshots.length === 0 && (await namesUnder(view.context, names.entity(tag), view.signal)).size === 0;
  const own = await CheckStream.open(view, tag, ownKeys(entity), removed);
  try {
    const { findings, items } = await checkItems(view, tag, snapshots, entity, own, shared);
    view.errors.merge(findings);
    view.counts.items += items;
  } finally {
    own.close();
  }
  view.progress();
  return snapshots;
}

/** Readers do not look at the number in an entity's own packs, which is always 1: another one is damage all the same. */
function ownKeys(entity: EntityRecord | undefined): RawKeys | undefined {
  return entity && ((epoch) => (epoch === 1 ? entity.packKey : undefined));
}

/** What is not found may have been moved by a prune since index and packs were read: they are read once more. */
async function checkItems(
  view: CheckView, tag: string, snapshots: readonly Manifest[], entity: EntityRecord | undefined, own: CheckStream, shared: CheckStream,
): Promise<{ findings: FindingList; items: number }> {
  const first = await new ItemCheck(view, tag, snapshots, own, shared).run(entity);
  if (!first.findings.list().some((finding) => finding.code === 'missing' || finding.code === 'not-indexed')) return first;
  const quiet: CheckView = { ...view, percent: 0, errors: new FindingList(), notices: new FindingList(), counts: { ...view.counts } };
  const again = [await CheckStream.open(quiet, tag, ownKeys(entity)), await CheckStream.open(quiet, SHARED, undefined)] as const;
  try {
    const moved = (id: Buffer): boolean => again.some((stream) => stream.find(id) === 'good');
    return await new ItemCheck(view, tag, snapshots, own, shared, moved).run(entity);
  } finally {
    for (const stream of again) stream.close();
  }
}

/** Bytes behind a segment's end are no part of it, and show in nothing but its size. */
async function checkSegments(view: CheckView, tag: string, snapshots: readonly Manifest[]): Promise<void> {
  const sizes = new Map(snapshots.flatMap((manifest) => manifest.layers.flat()).map((ref) => [ref.id, ref.size]));
  for await (const object of listAll(view.context.storage, names.segment(tag, ''), view.signal ? { signal: view.signal } : {})) {
    const size = sizes.get(lastSegment(object.name));
    if (size === undefined) view.notices.add(object.name, 'stray', 'No snapshot names this segment: a run that did not finish left it, or still goes on.');
    else if (size !== object.size) view.errors.add(object.name, 'wrong-size', `The segment has ${object.size} bytes, not ${size}.`);
  }
}

/** Without what a prune removed while the check went on: nobody misses it. */
async function stillWrong(view: CheckView): Promise<Finding[]> {
  const errors = view.errors.list();
  const ids = new Set(errors.flatMap((finding) => finding.items.map((one) => one.snapshot)));
  if (ids.size === 0) return errors;
  const standing = new Set<string>();
  let going = (_: string): boolean => false;
  try {
    const doomed = await DoomedList.load(view.context.storage, view.context.keyring, view.signal);
    going = (name) => doomed.has(name);
  } catch {
    // Named among the errors already.
  }
  for (const name of await namesUnder(view.context, 'snapshots/', view.signal)) if (!going(name)) standing.add(lastSegment(name));
  return errors.filter((finding) => finding.items.length === 0 || finding.items.some((one) => standing.has(one.snapshot)));
}
