import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import {
  get, lastPart, namesUnder, openContainer, openFrame, openPart, openRecord, readHeader, readPackDirectory,
} from './independentObjects.ts';
import type { KeyOfEpoch, Objects, Sealed } from './independentObjects.ts';
import { allEpochs, openBundle, type Bundle, type EpochRecord } from './independentKeys.ts';
import { indexedPlaces, packedPlaces } from './independentPlaces.ts';
import type { Place } from './independentPlaces.ts';
import { base64Text, readBlock, readOps, readRecipe } from './independentRows.ts';
import type { Op, Row } from './independentRows.ts';
import { derive, hmac, sha256 } from './independentSealing.ts';

/**
 * Reads a repository by docs/format alone: this file and its neighbours of that name import nothing from src, only node:crypto,
 * node:zlib and node:fs. Simple and slow; it holds all objects in memory.
 */
export interface Manifest {
  readonly id: string;
  readonly tag: string;
  readonly entity: { readonly id: string; readonly service: string; readonly name: string };
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly layers: readonly (readonly { readonly id: string; readonly size: number; readonly rows: number; readonly first: string }[])[];
  readonly predecessor: { readonly id: string; readonly sha256: string } | null;
}

/** The objects of a repository in a folder. */
export function objectsIn(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path).replaceAll(sep, '/'), readFileSync(path)]));
}

export class IndependentReader {
  readonly #objects: Objects;
  readonly #bundle: Bundle;
  /** By number. */
  readonly #epochs: ReadonlyMap<number, Buffer>;
  readonly #places = new Map<string, Map<string, Place[]>>();
  readonly #frames = new Map<string, Buffer>();
  /** Where blobs are looked up: in the index, or in the directories of the packs themselves. */
  readonly #from: 'index' | 'packs';

  constructor(objects: Objects, key: Uint8Array, from: 'index' | 'packs' = 'index') {
    this.#objects = objects;
    this.#from = from;
    const config = JSON.parse(get(objects, 'config').toString()) as { format: string; version: number; repository: string };
    if (config.format !== 'holdfast' || config.version !== 1) throw new Error('not version 1');
    const { slot, bundle } = openBundle(objects, key);
    this.#bundle = bundle;
    this.#epochs = allEpochs(objects, slot, key, bundle);
    if (this.#bundle.repository !== config.repository) throw new Error('the config is of another repository');
  }

  get #secret(): Buffer { return Buffer.from(this.#bundle.secret, 'base64'); }

  #epochKey(label: string): KeyOfEpoch {
    return (epoch) => {
      const key = this.#epochs.get(epoch);
      if (key === undefined) throw new Error(`there is no epoch ${epoch}`);
      return derive(key, label);
    };
  }

  /** What MACs, tags and ids say of themselves; throws where they do not hold. */
  proveSlots(): void {
    for (const name of namesUnder(this.#objects, 'keys/')) {
      const bytes = get(this.#objects, name);
      const record = bytes.subarray(0, -32);
      const mac = hmac(derive(this.#secret, 'slot-mac'), Buffer.from(`${name}\0`), record);
      if (!mac.equals(bytes.subarray(-32))) throw new Error(`${name} was changed`);
    }
  }

  record(name: string): unknown {
    return openRecord(name, get(this.#objects, name), this.#epochKey('meta'));
  }

  entities(): { tag: string; id: string }[] {
    return namesUnder(this.#objects, 'entities/').map((name) => {
      const { entity } = this.record(name) as { entity: { id: string } };
      const tag = hmac(derive(this.#secret, 'entity-tag'), Buffer.from(entity.id)).toString('hex').slice(0, 32);
      if (tag !== name.split('/')[1]) throw new Error(`${name} is not where it belongs`);
      return { tag, id: entity.id };
    }).filter(({ tag }, i, all) => tag !== all[i - 1]?.tag);
  }

  /** Sealed snapshots, oldest first. */
  snapshots(tag: string): Manifest[] {
    return namesUnder(this.#objects, `seals/${tag}/`).flatMap((name) => {
      const manifest = this.#objects.get(`snapshots/${tag}/${lastPart(name)}`);
      if (manifest === undefined) return [];
      const seal = this.record(name) as { manifest: string };
      if (seal.manifest !== sha256(manifest).toString('hex')) throw new Error(`${name} seals another manifest`);
      return [this.record(`snapshots/${tag}/${lastPart(name)}`) as Manifest];
    });
  }

  manifestHash(tag: string, id: string): string {
    return sha256(get(this.#objects, `snapshots/${tag}/${id}`)).toString('hex');
  }

  /** Rows of a point in time, by key. */
  rows({ tag, layers }: Manifest): Row[] {
    const state = new Map<string, Row>();
    for (const segment of layers.flat()) {
      const name = `segments/${tag}/${segment.id}`;
      if (get(this.#objects, name).length !== segment.size) throw new Error(`${name} has another size`);
      for (const row of this.#segment(name)) state.set(row.key, row);
    }
    const live = [...state.values()].filter((row) => row.kind !== '');
    return live.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #segment(name: string): Row[] {
    const bytes = get(this.#objects, name);
    const { directory, key } = openContainer(name, bytes, 'HFSG', this.#epochKey('meta'));
    const blocks = JSON.parse(directory.toString()) as { offset: number; length: number; first: string }[];
    return blocks.flatMap(({ offset, length, first }, i) => {
      const rows = readBlock(openPart(name, bytes.subarray(offset, offset + length), i, key));
      if (rows[0]?.key !== first) throw new Error(`${name} does not start as it says`);
      return rows;
    });
  }

  /** The content of an item, proved; undefined where none is stored. */
  content(tag: string, row: Pick<Row, 'content' | 'size'>): Buffer | undefined {
    if (row.content === '') return undefined;
    const recipe = readRecipe(row.content);
    if (recipe.kind === 'empty') return Buffer.alloc(0);
    if (recipe.kind === 'blob') return this.#blob(tag, recipe.id);
    const ops = recipe.kind === 'ops' ? recipe.ops : readOps(this.#joined(tag, recipe.blobs));
    const whole = Buffer.concat(ops.map((op) => this.#op(tag, op)));
    if (sha256(whole).toString('hex') !== recipe.sha256) throw new Error('an item is not what was stored');
    return whole;
  }

  #op(tag: string, op: Op): Buffer {
    const bytes = this.#joined(tag, op.blobs);
    return op.base64 ? base64Text(bytes, op.base64) : bytes;
  }

  #joined(tag: string, blobs: readonly { id: string; length: number }[]): Buffer {
    return Buffer.concat(blobs.map(({ id, length }) => {
      const bytes = this.#blob(tag, id);
      if (bytes.length !== length) throw new Error('a blob has another length than its recipe says');
      return bytes;
    }));
  }

  #blob(tag: string, id: string): Buffer {
    for (const stream of [tag, 'shared']) {
      for (const place of this.#placesOf(stream).get(id) ?? []) {
        const name = packName(stream, place.pack);
        if (!this.#objects.has(name)) continue;
        const bytes = this.#frame(stream, name, place.frame).subarray(place.offset, place.offset + place.length);
        if (this.blobId(bytes) !== id) throw new Error(`${name} holds another blob than the index says`);
        return bytes;
      }
    }
    throw new Error(`the blob ${id} is nowhere`);
  }

  /** Blobs end to end. */
  blobs(tag: string, blobs: readonly { id: string; length: number }[]): Buffer {
    return this.#joined(tag, blobs);
  }

  blobId(bytes: Uint8Array): string {
    return sha256(derive(this.#secret, 'blob-id'), sha256(bytes)).toString('hex', 0, 24);
  }

  #packKey(stream: string): KeyOfEpoch {
    if (stream === 'shared') return this.#epochKey('shared-packs');
    const keys = namesUnder(this.#objects, `entities/${stream}`).flatMap((name) => (this.record(name) as { key?: string }).key ?? []);
    const derived = Buffer.concat(keys.map((key) => derive(Buffer.from(key, 'base64'), 'entity-packs')));
    return () => derived;
  }

  #frame(stream: string, name: string, { offset, length, plainLength }: Place['frame']): Buffer {
    const at = `${name} ${offset}`;
    const known = this.#frames.get(at);
    if (known) return known;
    const bytes = get(this.#objects, name);
    const key = this.#packKey(stream)(readHeader(name, bytes, 'HFPK'));
    const plain = openFrame(bytes.subarray(offset, offset + length), plainLength, key);
    this.#frames.set(at, plain);
    return plain;
  }

  #placed(stream: string): readonly { id: string; place: Place }[] {
    if (this.#from === 'index') return indexedPlaces(this.#objects, stream, this.#epochKey('meta'));
    return packedPlaces(this.#objects, stream, this.#packKey(stream));
  }

  /** Ids of all blobs of a stream, hex. */
  blobIds(stream: string): string[] {
    return [...this.#placesOf(stream).keys()];
  }

  #placesOf(stream: string): Map<string, Place[]> {
    let places = this.#places.get(stream);
    if (!places) {
      places = new Map<string, Place[]>();
      for (const { id, place } of this.#placed(stream)) {
        places.set(id, [...(places.get(id) ?? []), place]);
      }
      this.#places.set(stream, places);
    }
    return places;
  }

  /** Every sealed message of the repository, opened once to be sure that it is one. */
  sealed(): Sealed[] {
    return [...this.#objects.keys()].filter((name) => name !== 'config').flatMap((name) => this.#sealedIn(name));
  }

  /** Everything that the keys open in an object, decompressed. */
  opened(name: string): Buffer[] {
    const bytes = get(this.#objects, name);
    const [kind = '', stream = ''] = name.split('/');
    if (kind === 'config') return [bytes];
    if (kind === 'keys' || kind === 'epochs') return [];
    if (kind !== 'packs' && kind !== 'index' && kind !== 'segments') return [Buffer.from(JSON.stringify(this.record(name)))];
    const keyOf = kind === 'packs' ? this.#packKey(stream) : this.#epochKey('meta');
    const { directory, key } = openContainer(name, bytes, { packs: 'HFPK', index: 'HFIX', segments: 'HFSG' }[kind], keyOf);
    if (kind === 'packs') {
      const frames = readPackDirectory(directory);
      return [directory, ...frames.map(({ offset, length, plainLength }) => openFrame(bytes.subarray(offset, offset + length), plainLength, key))];
    }
    let at = 8;
    return [directory, ...partLengths(directory).map((length, i) => openPart(name, bytes.subarray(at, at += length), i, key))];
  }

  /** Those of one object. */
  sealedOf(name: string): Sealed[] {
    return this.#sealedIn(name);
  }

  #sealedIn(name: string): Sealed[] {
    const bytes = get(this.#objects, name);
    const [kind = '', stream = ''] = name.split('/');
    if (kind === 'keys') return [{ object: name, bytes: bytes.subarray(8, -64) }];
    if (kind === 'epochs') {
      const boxes = Object.values((openRecord(name, bytes, this.#epochKey('next-epoch')) as EpochRecord).slots);
      return [bytes.subarray(8), ...boxes.map((box) => Buffer.from(box, 'base64').subarray(32))].map((sealed) => ({ object: name, bytes: sealed }));
    }
    if (kind !== 'packs' && kind !== 'index' && kind !== 'segments') {
      this.record(name);
      return [{ object: name, bytes: bytes.subarray(8) }];
    }
    const magic = { packs: 'HFPK', index: 'HFIX', segments: 'HFSG' }[kind];
    const keyOf = kind === 'packs' ? this.#packKey(stream) : this.#epochKey('meta');
    const { directory, sealedDirectory } = openContainer(name, bytes, magic, keyOf);
    const lengths = kind === 'packs' ? readPackDirectory(directory).map((frame) => frame.length) : partLengths(directory);
    let at = 8;
    const parts = lengths.map((length) => bytes.subarray(at, at += length));
    if (at + sealedDirectory.length + 8 !== bytes.length) throw new Error(`${name} has gaps`);
    return [...parts, sealedDirectory].map((part) => ({ object: name, bytes: part }));
  }

  /** docs/format/packs.md, "Chunks": ends of the chunks of a run of bytes. */
  chunkEnds(bytes: Buffer): number[] {
    if (bytes.length <= 131_072) return bytes.length === 0 ? [] : [bytes.length];
    const gear = this.#gearTable();
    const ends: number[] = [];
    for (let start = 0; start < bytes.length; start = ends.at(-1) ?? 0) ends.push(chunkEnd(bytes, start, gear));
    return ends;
  }

  #gearTable(): number[] {
    const key = derive(this.#secret, 'chunker');
    const digests = Array.from({ length: 32 }, (_, i) => sha256(key, Buffer.from([0, 0, 0, i])));
    const table = Buffer.concat(digests);
    return Array.from({ length: 256 }, (_, i) => table.readUInt32LE(i * 4));
  }
}

function chunkEnd(bytes: Buffer, start: number, gear: readonly number[]): number {
  if (bytes.length - start <= 16_384) return bytes.length;
  const most = Math.min(bytes.length, start + 262_144);
  let hash = 0;
  for (let at = start + 16_352; at < most; at++) {
    hash = (2 * hash + (gear[bytes[at] ?? 0] ?? 0)) % 2 ** 32;
    if (at >= start + 16_384 && hash < (at < start + 53_248 ? 2 ** 14 : 2 ** 18)) return at + 1;
  }
  return most;
}

function partLengths(directory: Buffer): number[] {
  const json = JSON.parse(directory.toString()) as { parts: number[] } | { length: number }[];
  return Array.isArray(json) ? json.map((block) => block.length) : json.parts;
}

function packName(stream: string, pack: string): string {
  return `packs/${stream}/${pack.slice(-2)}/${pack}`;
}
