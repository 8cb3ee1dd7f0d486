import assert from 'node:assert/strict';
import { isHoldfastError, type ItemRow } from '../../src/domain/index.ts';
import { check, prune, Repository, stateRows, type CheckReport } from '../../src/repository/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { backupTree, HOUR, initRepository, namesIn, OPERATOR_KEY, RECOVERY_KEY, TestClock, type Place } from './fixture.ts';
import { seededNumbers } from './seeded.ts';
import { bytesOf, type Tree } from './tree.ts';

/** A tree by path: content and size. */
export const files = (all: Record<string, [string, number]>): Tree =>
  new Map(Object.entries(all).map(([path, [content, size]]) => [path, { content, size }]));
const FIRST = files({ 'gone.txt': ['t1', 5_000] });
const SECOND = files({ 'a/one.bin': ['r1', 200_000], 'a/two.txt': ['t2', 20_000], 'm.eml': ['m1', 100], 'empty': ['t0', 0] });
const THIRD = files({ 'a/one.bin': ['r1', 200_000], 'a/two.txt': ['t3', 21_000], 'new/m.eml': ['m1', 101], 'big.bin': ['r4', 1_500_000] });
const OTHER = files({ 'o.bin': ['r5', 30_000], 'o.txt': ['t6', 3_000] });

export interface Restored {
  /** Paths by snapshot that threw. */
  readonly failed: Set<string>;
  /** Snapshots that could not be listed whole. */
  readonly unlisted: Set<string>;
  readonly intact: number;
}

/** A small repository with every kind of object, which is damaged in one place, examined, and mended again. */
export class DamageRounds {
  readonly storage: Storage;
  /** By snapshot id. */
  readonly trees = new Map<string, Tree>();
  readonly clock = new TestClock();
  readonly #cache: (name: string) => string;
  #opened = 0;

  private constructor(storage: Storage, cache: (name: string) => string) {
    this.storage = storage;
    this.#cache = cache;
  }

  /** With a removal on record and a pin. */
  static async make(place: Place, cache: (name: string) => string): Promise<DamageRounds> {
    const rounds = new DamageRounds(await place.fresh(), cache);
    const { clock } = rounds;
    const repository = await initRepository(rounds.storage, cache('made'), clock);
    for (const [name, tree] of [['e', FIRST], ['e', SECOND], ['n', OTHER], ['e', THIRD]] as const) {
      rounds.trees.set((await backupTree(repository, name, tree, clock)).id, tree);
      clock.time += HOUR;
    }
    await prune(repository, { keepLast: 2 }, { graceMs: 0 });
    await repository.begin({ id: 'tree:n', service: 'tree', name: 'n' });
    return rounds;
  }

  /** How many items restore while nothing is damaged. */
  get items(): number { return SECOND.size + THIRD.size + OTHER.size; }

  names(): Promise<string[]> {
    return namesIn(this.storage);
  }

  async flip(name: string, at: number): Promise<void> {
    await this.#damaged([name], `flip at ${at}`, async ([bytes = new Uint8Array()]) => {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x20;
      await this.storage.put(name, [flipped]);
    });
  }

  async cut(name: string, length: number): Promise<void> {
    await this.#damaged([name], `cut to ${length}`, ([bytes = new Uint8Array()]) => this.storage.put(name, [bytes.subarray(0, length)]));
  }

  async remove(name: string): Promise<void> {
    await this.#damaged([name], 'deletion', () => this.storage.delete(name));
  }

  async swap(a: string, b: string): Promise<void> {
    await this.#damaged([a, b], 'swap', async ([first = new Uint8Array(), second = new Uint8Array()]) => {
      await this.storage.put(a, [second]);
      await this.storage.put(b, [first]);
    });
  }

  /** So many damages of random objects, each kind in turn. */
  async some(count: number, seed: number): Promise<void> {
    const next = seededNumbers(seed);
    const names = (await this.names()).filter((name) => !/^(pins|removals)\//.test(name));
    const below = (most: number): number => Math.floor(next() * most);
    for (let i = 0; i < count; i++) {
      const name = names[below(names.length)] as string;
      const { length } = await this.storage.get(name);
      if (i % 3 === 0) await this.flip(name, below(length));
      else if (i % 3 === 1) await this.cut(name, below(length));
      else await this.remove(name);
    }
  }

  /** Restores everything; a wrong byte fails the test, an error is noted. */
  async restoreAll(repository: Repository): Promise<Restored> {
    const restored = { failed: new Set<string>(), unlisted: new Set<string>(), intact: 0 };
    const { storage, keyring } = repository.context;
    const snapshots = await repository.snapshots(undefined, undefined, () => {});
    for (const { manifest } of snapshots) {
      const tree = this.trees.get(manifest.id) as Tree;
      const record = await repository.entities().then((all) => all.find((one) => one.tag === manifest.tag), ignored);
      if (!record) continue;
      const reader = repository.reader(record);
      try {
        for await (const rows of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) {
          for (const row of rows) {
            if (row.kind === 'folder') continue;
            try {
              const bytes = await reader.bytes(row, 1e9);
              assert.ok(bytes.equals(bytesOf(tree.get(row.key) ?? { content: 'none', size: -1 })), `${pathOf(row)} has wrong bytes`);
              restored.intact++;
            } catch (error) {
              ignored(error);
              restored.failed.add(pathOf(row));
            }
          }
        }
      } catch (error) {
        ignored(error);
        restored.unlisted.add(manifest.id);
      } finally {
        await reader.close();
      }
    }
    return restored;
  }

  /** Changes objects, examines what stands, and puts them back. */
  async #damaged(touched: readonly string[], what: string, change: (bytes: readonly Uint8Array[]) => Promise<void>): Promise<void> {
    const before = await Promise.all(touched.map((name) => this.storage.get(name)));
    await change(before);
    try {
      await this.#examine(touched);
    } catch (error) {
      throw new Error(`${what} of ${touched.join(' and ')}`, { cause: error });
    }
    for (const [i, name] of touched.entries()) await this.storage.put(name, [before[i] ?? new Uint8Array()]);
  }

  async #openAny(): Promise<Repository | undefined> {
    for (const key of [OPERATOR_KEY, RECOVERY_KEY]) {
      try {
        return await Repository.open(this.storage, key, { cacheDirectory: this.#cache(`open-${this.#opened++}`), clock: this.clock });
      } catch (error) {
        ignored(error);
      }
    }
    return undefined;
  }

  /** @param touched the damaged objects; check must name each, by itself or by its folder. */
  async #examine(touched: readonly string[]): Promise<void> {
    const repository = await this.#openAny();
    if (!repository) {
      assert.ok(touched.some((name) => name === 'config' || name.startsWith('keys/')), 'only config and keys keep it shut');
      return;
    }
    // Of packs every byte must be read to find a flip; all else is read by every check.
    const readData = touched.some((name) => name.startsWith('packs/')) ? 100 : 0;
    const report = await check(repository, { readData, workers: 1, named: 1000 });
    const findings = [...report.errors, ...report.notices];
    for (const name of touched) {
      const told = findings.some(({ object }) => object === name || (object.endsWith('/') && name.startsWith(object)) || sibling(object, name));
      assert.ok(told, `check does not name ${name}; it says ${findings.map((one) => `${one.code} ${one.object}`).join(', ')}`);
    }
    const restored = await this.restoreAll(repository);
    const paths = named(report);
    const whole = paths.has('(all items)') || restored.unlisted.size > 0;
    if (!whole) for (const path of restored.failed) assert.ok(paths.has(path), `${path} does not restore`);
    if (touched.every((name) => name.startsWith('packs/'))) {
      assert.deepEqual([...paths].sort(), [...restored.failed].sort());
      assert.ok(restored.intact > 0);
    }
    if (restored.unlisted.size > 0) assert.ok(touched.some((name) => name.startsWith('segments/')));
  }
}

/** Errors of ours say what is wrong; any other is a fault of the program. */
export function ignored(error: unknown): undefined {
  if (!isHoldfastError(error)) throw error;
  return undefined;
}

const named = (report: CheckReport): Set<string> => new Set(report.errors.flatMap((one) => one.items.map((item) => item.path)));

/** A snapshot's seal and manifest: what is wrong with one may show in the other. A shared index serves every entity. */
function sibling(object: string, name: string): boolean {
  const [kind = '', tag, id] = name.split('/');
  if (kind === 'index') return object.startsWith('index/');
  return ['seals', 'snapshots'].includes(kind) && (object === `seals/${tag}/${id}` || object === `snapshots/${tag}/${id}`);
}

function pathOf(row: ItemRow): string {
  return Buffer.from(row.key, 'latin1').toString();
}
