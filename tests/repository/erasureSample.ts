import { expect } from 'vitest';
import { check, rotateKeys, type Manifest, type Repository } from '../../src/repository/index.ts';
import { type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { tracesOf } from './erasedTraces.ts';
import { backupTree, cacheFolder, copyStorage, HOUR, initRepository, openRepository, SnapshotProof, TestClock } from './fixture.ts';
import type { Tree, TreeFile } from './tree.ts';

/** Local caches of all repositories of a test file; `remove` them at its end. */
export const caches = await cacheFolder();

let opened = 0;
/** Each time with caches of its own. */
export const open = (storage: Storage, clock: TestClock): Promise<Repository> => openRepository(storage, caches.path(`cache-${opened++}`), clock);

export const SECRET = 'secret-4711.txt';
export const BOTH = 'secret-of-both.bin';
export const ERASED: Readonly<Record<string, TreeFile>> = {
  [`d/${SECRET}`]: { content: 't7', size: 3_000 }, 'd/secret-large.bin': { content: 'r17', size: 200_000 }, 'd/secret.eml': { content: 'm3', size: 120 },
};
export const KEPT: Readonly<Record<string, TreeFile>> = {
  'd/kept.bin': { content: 'r1', size: 90_000 }, 'd/kept.txt': { content: 't2', size: 2_500 }, 'm.eml': { content: 'm1', size: 90 }, 'e.txt': { content: 't4', size: 30_000 },
};
/** Its content is another entity's too. */
export const SHARED_FILE: TreeFile = { content: 'r2', size: 60_000 };
export const KEYS = new Set([...Object.keys(ERASED), `d/${BOTH}`]);
/** Only what no other item is made of. */
export const TRACES = [...Object.entries(ERASED).flatMap(([key, file]) => tracesOf(key.slice(2), file)), Buffer.from(BOTH)];

export const treeOf = (...parts: Readonly<Record<string, TreeFile>>[]): Tree => new Map(parts.flatMap((part) => Object.entries(part)));

/** A snapshot and the tree that it is of. */
export interface MadeOf {
  readonly manifest: Manifest;
  readonly tree: Tree;
}

/** A repository with two entities, two key epochs, and items that are to be erased from one of them. */
export interface ErasureSample {
  readonly storage: Storage;
  readonly trees: readonly MadeOf[];
  readonly tag: string;
}

let made: Promise<ErasureSample & { readonly time: number }> | undefined;

/** Made once for a test file, copied each time. Moves the clock to the end of it. */
export async function erasureSample(clock: TestClock): Promise<ErasureSample> {
  made ??= (async () => {
    const first = new TestClock();
    return { ...(await makeErasureSample(first)), time: first.time };
  })();
  const { storage, trees, tag, time } = await made;
  clock.time = Math.max(clock.time, time);
  return { storage: await copyStorage(storage), trees, tag };
}

export async function makeErasureSample(clock: TestClock, storage: Storage = new MemoryStorage()): Promise<ErasureSample> {
  const repository = await initRepository(storage, caches.path(`made-${opened++}`), clock);
  const trees: MadeOf[] = [];
  const first = treeOf(KEPT, ERASED, { [`d/${BOTH}`]: SHARED_FILE });
  const changed = treeOf(KEPT, ERASED, { [`d/${BOTH}`]: SHARED_FILE, [`d/${SECRET}`]: { content: 't8', size: 3_300 }, 'new.txt': { content: 't5', size: 9_000 } });
  const without = treeOf(KEPT, { 'new.txt': { content: 't5', size: 9_100 } });
  for (const [name, tree] of [['e', first], ['n', treeOf({ 'n.bin': SHARED_FILE })], ['e', changed], ['e', without]] as const) {
    trees.push({ manifest: await backupTree(repository, name, tree, clock), tree });
    clock.time += HOUR;
    if (trees.length === 2) await rotateKeys(repository);
  }
  return { storage, trees, tag: trees[0]?.manifest.tag ?? '' };
}

const withoutErased = (tree: Tree): Tree => new Map([...tree].filter(([key]) => !KEYS.has(key)));
const timeOf = ({ manifest }: MadeOf): string => `${manifest.tag} ${manifest.id.slice(0, 12)}`;

/** Every snapshot is there, at its time, with all but what was erased; nothing is damaged. */
export async function proveOthers(storage: Storage, clock: TestClock, trees: readonly MadeOf[], more: readonly MadeOf[] = []): Promise<void> {
  const repository = await open(storage, clock);
  const proof = new SnapshotProof(repository);
  const standing = await repository.snapshots();
  const expected = [...trees, ...more].toSorted((a, b) => (a.manifest.id.slice(0, 12) < b.manifest.id.slice(0, 12) ? -1 : 1));
  expect(standing.map(({ manifest }) => timeOf({ manifest, tree: new Map() }))).toEqual(expected.map(timeOf));
  for (const [i, { manifest }] of standing.entries()) {
    const tree = expected[i]?.tree as Tree;
    await proof.holds(manifest, manifest.entity.id === 'tree:e' ? withoutErased(tree) : tree);
  }
  expect((await check(repository, { readData: 100, workers: 1 })).errors).toEqual([]);
}
