import { get, lastPart, namesUnder, openContainer, openPart, readPackDirectory } from './independentObjects.ts';
import type { KeyOfEpoch, Objects } from './independentObjects.ts';

/** docs/format/packs.md: where blobs are. Nothing here may be imported from src. */
export interface Place {
  readonly pack: string;
  readonly frame: { readonly offset: number; readonly length: number; readonly plainLength: number };
  /** In the opened frame. */
  readonly offset: number;
  readonly length: number;
}

interface Entry {
  /** Hex. */
  readonly id: string;
  readonly place: Place;
}

/** As the index says. */
export function indexedPlaces(objects: Objects, stream: string, metaOf: KeyOfEpoch): Entry[] {
  const segments = namesUnder(objects, `index/${stream}/`).map((name) => ({ name, ...readSegment(objects, name, metaOf) }));
  const replaced = new Set(segments.flatMap((segment) => segment.replaces));
  return segments.filter(({ name }) => !replaced.has(lastPart(name))).flatMap((segment) => segment.entries);
}

interface Directory {
  readonly packs: readonly { readonly id: string; readonly size: number }[];
  readonly replaces: readonly string[];
  readonly parts: readonly number[];
  readonly entries: number;
}

function readSegment(objects: Objects, name: string, metaOf: KeyOfEpoch): { replaces: readonly string[]; entries: Entry[] } {
  const bytes = get(objects, name);
  const { directory, key } = openContainer(name, bytes, 'HFIX', metaOf);
  const { packs, replaces, parts, entries } = JSON.parse(directory.toString()) as Directory;
  let at = 8;
  const [frames = Buffer.alloc(0), ...blocks] = parts.map((length, i) => openPart(name, bytes.subarray(at, at += length), i, key));
  const records = Buffer.concat(blocks);
  if (records.length !== entries * 36) throw new Error(`${name} has another number of entries`);
  const entry = (i: number): Entry => {
    const record = records.subarray(i * 36, i * 36 + 36);
    if (i > 0 && records.compare(record, 0, 24, i * 36 - 36, i * 36 - 12) > 0) throw new Error(`${name} is not in order`);
    const frame = record.readUInt32LE(24) * 16;
    return {
      id: record.toString('hex', 0, 24),
      place: {
        pack: packs[frames.readUInt32LE(frame)]?.id ?? '',
        frame: { offset: frames.readUInt32LE(frame + 4), length: frames.readUInt32LE(frame + 8), plainLength: frames.readUInt32LE(frame + 12) },
        offset: record.readUInt32LE(28), length: record.readUInt32LE(32),
      },
    };
  };
  return { replaces, entries: Array.from({ length: entries }, (_, i) => entry(i)) };
}

/** As the packs say of themselves. */
export function packedPlaces(objects: Objects, stream: string, keyOf: KeyOfEpoch): Entry[] {
  return namesUnder(objects, `packs/${stream}/`).flatMap((name) => {
    const { directory } = openContainer(name, get(objects, name), 'HFPK', keyOf);
    return readPackDirectory(directory).flatMap((frame) => {
      let offset = 0;
      return frame.blobs.map(({ id, length }) => {
        offset += length;
        return { id, place: { pack: lastPart(name), frame, offset: offset - length, length } };
      });
    });
  });
}
