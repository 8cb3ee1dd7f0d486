import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { ItemRow } from '../../src/domain/index.ts';
import { listAll } from '../../src/storage/index.ts';
import { MemoryStorage } from '../../src/storage/trial/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { stateRows } from '../../src/repository/index.ts';
import type { Repository } from '../../src/repository/index.ts';
import type { IndependentReader } from './independentReader.ts';
import type { ExpectedItem, ExpectedSnapshot } from './sampleRepository.ts';

type Named = Pick<ExpectedItem, 'kind'> & { readonly key: string; readonly parent: string; readonly name: string };

/** Names from the top, '/'-separated. `root` is the key of a row that is the top itself. */
function pathOf(row: Named, rows: ReadonlyMap<string, Named>, root: string | undefined): string {
  const names: string[] = [];
  for (let at: Named | undefined = row; at && at.key !== root; at = at.key === at.parent ? undefined : rows.get(at.parent)) names.unshift(at.name);
  return names.join('/');
}

/** Rows with the hashes of their contents, in the form in which a sample says what it expects. */
async function found<T extends Named>(
  rows: readonly T[], root: string | undefined, bytesOf: (row: T) => Promise<Buffer | undefined>,
  onRefusal: (error: unknown) => void,
): Promise<Record<string, ExpectedItem>> {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const items: Record<string, ExpectedItem> = {};
  for (const row of rows) {
    if (row.key === root) continue;
    const read = await bytesOf(row).then((bytes) => ({ bytes }), (error: unknown) => onRefusal(error));
    if (!read) continue;
    const { bytes } = read;
    const sha256 = bytes ? createHash('sha256').update(bytes).digest('hex') : null;
    items[pathOf(row, byKey, root)] = { kind: row.kind, size: bytes?.length ?? 0, sha256 };
  }
  return items;
}

/** A folder's tree hangs on one row without a parent. */
function rootOf(entity: string, rows: readonly Named[]): string | undefined {
  return entity.startsWith('folder:') ? rows.find((row) => row.parent === '')?.key : undefined;
}

export async function readIndependently(reader: IndependentReader): Promise<ExpectedSnapshot[]> {
  const snapshots: ExpectedSnapshot[] = [];
  for (const { tag, id: entity } of reader.entities()) {
    for (const manifest of reader.snapshots(tag)) {
      const rows = reader.rows(manifest);
      snapshots.push({ entity, id: manifest.id, items: await found(rows, rootOf(entity, rows), async (row) => reader.content(tag, row), fail) });
    }
  }
  return sorted(snapshots);
}

/** `onRefusal` is told of items that are not given; they are left out then. */
export async function readWithHoldfast(repository: Repository, onRefusal: (error: unknown) => void = fail): Promise<ExpectedSnapshot[]> {
  const { storage, keyring } = repository.context;
  const snapshots: ExpectedSnapshot[] = [];
  for (const { manifest } of await repository.snapshots()) {
    const reader = repository.reader(await repository.entity(manifest.tag));
    const rows: ItemRow[] = [];
    for await (const batch of stateRows({ storage, keyring, tag: manifest.tag }, manifest.layers)) rows.push(...batch);
    const items = await found(rows, rootOf(manifest.entity.id, rows),
      async (row) => (row.content === '' ? undefined : reader.bytes(row, 2 ** 24)), onRefusal);
    await reader.close();
    snapshots.push({ entity: manifest.entity.id, id: manifest.id, items });
  }
  return sorted(snapshots);
}

function fail(error: unknown): never {
  throw error;
}

function sorted(snapshots: readonly ExpectedSnapshot[]): ExpectedSnapshot[] {
  return snapshots.toSorted((a, b) => (a.entity + a.id < b.entity + b.id ? -1 : 1));
}

export async function objectsOf(storage: Storage): Promise<Map<string, Buffer>> {
  const objects = new Map<string, Buffer>();
  for await (const { name } of listAll(storage, '')) objects.set(name, Buffer.from(await storage.get(name)));
  return objects;
}

export async function storageOf(objects: ReadonlyMap<string, Buffer>): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  for (const [name, bytes] of objects) await storage.put(name, [bytes]);
  return storage;
}

/** I2: a nonce stands in two places only where the same frame was copied from pack to pack. */
export function expectNoNonceTwice(reader: IndependentReader): void {
  const seen = new Map<string, Buffer>();
  const messages = reader.sealed();
  expect(messages.length).toBeGreaterThan(50);
  for (const { object, bytes } of messages) {
    const nonce = bytes.toString('hex', 0, 24);
    const other = seen.get(nonce);
    if (other) expect(object.startsWith('packs/') && other.equals(bytes), `${object} repeats a nonce`).toBe(true);
    seen.set(nonce, bytes);
  }
}

const HEX = '[0-9a-f]{32}';
const NAMES = new RegExp(`^(${[
  'config', `keys/(operator|recovery)(-${HEX})?`, `epochs/[0-9]{10}-${HEX}`, `entities/${HEX}(/${HEX})?`, `packs/(${HEX}|shared)/[0-9a-f]{2}/${HEX}`, `index/(${HEX}|shared)/${HEX}`,
  `(segments|snapshots|seals|checkpoints|pins)/${HEX}/${HEX}`, `void/${HEX}/${HEX}-${HEX}`, `(doomed|removals)/[0-9]{10}-${HEX}`,
].join('|')})$`);

/** I3: names are numbers and keyed hashes; neither they nor any stored byte show a secret text or a blob's id. */
export function expectNothingShows(objects: ReadonlyMap<string, Buffer>, reader: IndependentReader, secrets: readonly string[]): void {
  const ids = ['shared', ...reader.entities().map(({ tag }) => tag)].flatMap((stream) => reader.blobIds(stream));
  expect(ids.length).toBeGreaterThan(10);
  for (const [name, bytes] of objects) {
    expect(name).toMatch(NAMES);
    for (const secret of secrets) {
      const shown = name.includes(secret) || bytes.includes(secret) || bytes.includes(Buffer.from(secret, 'latin1'));
      expect(shown, `${name} shows "${secret}"`).toBe(false);
    }
    for (const id of ids) {
      const shown = name.includes(id) || bytes.includes(id) || bytes.includes(Buffer.from(id, 'hex'));
      expect(shown, `${name} shows the id of a blob`).toBe(false);
    }
  }
}
