import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBackup } from '../../src/backup/index.ts';
import type { SourceSession } from '../../src/connectors/contract.ts';
import type { BinaryString } from '../../src/domain/index.ts';
import type { Clock } from '../../src/runtime/index.ts';
import { Repository, stateRows, type EntityRecord, type Manifest } from '../../src/repository/index.ts';
import { listAll, type Storage } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import { bytesOf, itemsOf, TreeSource, type Tree, type TreeFile } from './tree.ts';

export const OPERATOR_KEY = new Uint8Array(32).fill(7);
export const RECOVERY_KEY = new Uint8Array(32).fill(8);
export const HOUR = 3_600_000;

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  time = Date.parse('2026-01-01T00:00:00Z');
  now(): number { return this.time++; }
  monotonic(): number { return performance.now(); }
}

/** Private directory of a test file for local caches; `remove` it at the end. */
export async function cacheFolder(): Promise<{ path: (name: string) => string; remove: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-repository-'));
  return { path: (name) => join(root, name), remove: () => rm(root, { recursive: true, force: true }) };
}

export function initRepository(storage: Storage, cacheDirectory: string, clock: Clock): Promise<Repository> {
  return Repository.init(storage, OPERATOR_KEY, RECOVERY_KEY, { cacheDirectory, clock });
}

export function openRepository(storage: Storage, cacheDirectory: string, clock: Clock): Promise<Repository> {
  return Repository.open(storage, OPERATOR_KEY, { cacheDirectory, clock });
}

export function backupTree(repository: Repository, name: string, tree: Tree, clock: Clock): Promise<Manifest> {
  return backupSource(repository, new TreeSource(name, tree), clock);
}

export function backupSource(repository: Repository, source: SourceSession, clock: Clock): Promise<Manifest> {
  return runBackup(repository, source, { signal: new AbortController().signal, progress: () => {}, clock, workers: 1 });
}

/** Where a proof has its repositories. */
export interface Place {
  /** An empty storage, another one each time. */
  fresh(): Promise<Storage>;
}

export const IN_MEMORY: Place = { fresh: async () => new MemoryStorage() };

/** Another storage with the same objects. */
export async function copyStorage(from: Storage, place: Place = IN_MEMORY): Promise<Storage> {
  const copy = await place.fresh();
  for await (const object of listAll(from, '')) await copy.put(object.name, [await from.get(object.name)]);
  return copy;
}

export async function namesIn(storage: Storage, prefix = ''): Promise<string[]> {
  const names: string[] = [];
  for await (const object of listAll(storage, prefix)) names.push(object.name);
  return names;
}

const hashes = new Map<string, string>();

function hashOf(file: TreeFile): string {
  const key = `${file.content}/${file.size}`;
  const known = hashes.get(key) ?? hash('sha256', bytesOf(file));
  hashes.set(key, known);
  return known;
}

/** Compares snapshots with the trees that they were made of, row by row and byte by byte; equal contents are read once. */
export class SnapshotProof {
  readonly #repository: Repository;
  readonly #right = new Map<BinaryString, string>();
  readonly #entities = new Map<string, EntityRecord>();
  items = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async holds(manifest: Manifest, tree: Tree): Promise<void> {
    const { storage, keyring } = this.#repository.context;
    const wanted = itemsOf(tree);
    if (this.#entities.size === 0) for (const record of await this.#repository.entities()) this.#entities.set(record.tag, record);
    const reader = this.#repository.reader(this.#entities.get(manifest.tag) as EntityRecord);
    const shown: BinaryString[] = [];
    try {
      for await (const rows of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) {
        for (const { outcome, content, ...row } of rows) {
          shown.push(row.key);
          assert.deepEqual(row, { ...wanted.get(row.key) });
          assert.equal(outcome, '');
          if (row.kind === 'folder') continue;
          this.items++;
          const file = tree.get(row.key) ?? { content: 't', size: 0 };
          let restored = this.#right.get(content);
          if (restored === undefined) {
            restored = hash('sha256', await reader.bytes({ content, size: row.size }, 1e9));
            this.#right.set(content, restored);
          }
          assert.equal(restored, hashOf(file), `${row.key} of ${manifest.id}`);
        }
      }
    } finally {
      await reader.close();
    }
    assert.deepEqual(shown, [...wanted.keys()].sort((a, b) => (a < b ? -1 : 1)));
    const files = tree.size;
    assert.deepEqual({ items: manifest.counts.items, folders: manifest.counts.folders }, { items: files, folders: wanted.size - files });
  }
}
