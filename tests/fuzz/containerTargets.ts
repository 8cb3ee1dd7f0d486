import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { isHoldfastError, type RowChange } from '../../src/domain/index.ts';
import { containerHeader, openWhole, sealTail } from '../../src/repository/container.ts';
import { FrameBuilder, openFrame } from '../../src/repository/frame.ts';
import { contentOfPacks } from '../../src/repository/indexBuilder.ts';
import { IndexFile } from '../../src/repository/indexFile.ts';
import { loadIndexSegment, writeIndexSegment, type IndexPlace } from '../../src/repository/indexSegment.ts';
import { names } from '../../src/repository/names.ts';
import { decodeDirectory, PACK_MAGIC, PackBuilder } from '../../src/repository/pack.ts';
import { PROFILES } from '../../src/repository/profile.ts';
import { encodeRowBlock, RowBlock } from '../../src/repository/rowBlock.ts';
import { LayerWriter, proveSegment } from '../../src/repository/segment.ts';
import { DAMAGE, type FuzzTarget } from './fuzzTarget.ts';
import { context, id, keyring, random, scratch, storage, tag } from './fuzzWorld.ts';

const builder = new FrameBuilder(4096, false);
for (let i = 0; i < 6; i++) builder.add(random(24).toString('latin1'), Buffer.alloc(50 * i + 1, `blob ${i} `));
const frame = builder.seal(keyring.shared.key, PROFILES.default, random);
const packs = new PackBuilder('shared', context.clock, random);
packs.add(frame);
packs.add(frame);
const pack = packs.build(keyring.shared);
const packBytes = Buffer.concat(pack.parts);

const row = (key: string): RowChange => ({
  row: { key, parent: 'd', name: `näme ${key}`, kind: 'file', size: 9, modified: 1_700_000_000_000, change: 'v1', meta: '{"mode":420}', outcome: '', content: '\u0000' },
});
const rows: RowChange[] = [row('a'), { removed: 'b' }, row('c\u00ff'), row('d')];
const layer = new LayerWriter(storage, keyring, tag, context.clock, random);
for (const change of rows) await layer.add(change);
await layer.flush();
const segmentName = names.segment(tag, layer.refs[0]?.id ?? '');
const segmentBytes = await storage.get(segmentName);
const segmentTail = openWhole(segmentName, segmentBytes, 'HFSG', keyring.metaOf);

const place: IndexPlace = { storage, keyring, stream: 'shared', cacheDirectory: join(scratch, 'index') };
const made = await writeIndexSegment(place, contentOfPacks([pack]), context.clock, random);
made.file.close();
const indexName = names.index('shared', made.id);
const indexBytes = await storage.get(indexName);
const localBytes = readFileSync(join(place.cacheDirectory, `${made.id}.idx`));
const table = contentOfPacks([pack]);
const records = Buffer.concat([...table.records]);

/** Nonce and tag. */
const SEAL = 40;

function look(file: IndexFile): void {
  const ids = Buffer.from(frame.ids);
  for (let at = 0; at < ids.length; at += 24) {
    const found = file.find(ids, at);
    if (found >= 0) file.location(found);
  }
  file.frameTable();
  file.close();
}

async function loadIndex(name: string, bytes: Buffer): Promise<void> {
  await storage.put(name, [bytes]);
  const cached = join(place.cacheDirectory, `${name.split('/').at(-1)}.idx`);
  rmSync(cached, { force: true });
  look((await loadIndexSegment(place, name.split('/').at(-1) ?? '', bytes.length, random)).file);
}

/** An index segment of parts and a directory that a key holder sealed. */
function sealedIndex(name: string, parts: readonly Uint8Array[], directory: (lengths: readonly number[]) => Uint8Array): Buffer {
  const sealed = parts.map((part, i) => keyring.meta.key.seal(random(24), zstdCompressSync(part), Buffer.from(`${name}#${i}`)));
  const tail = sealTail(name, directory(sealed.map(({ length }) => length)), keyring.meta, random);
  return Buffer.concat([containerHeader('HFIX', keyring.meta), ...sealed, ...tail]);
}

const directoryOf = (parts: readonly number[]): Buffer =>
  Buffer.from(JSON.stringify({ entries: table.entries, packs: table.packs, replaces: [], parts }));

export const containerTargets: readonly FuzzTarget[] = [
  {
    name: 'pack', samples: [packBytes],
    run: (input) => { decodeDirectory(pack.name, openWhole(pack.name, input, PACK_MAGIC, () => keyring.shared.key).directory); },
  },
  { name: 'pack-directory', samples: [openWhole(pack.name, packBytes, PACK_MAGIC, () => keyring.shared.key).directory], run: (input) => { decodeDirectory(pack.name, input); } },
  {
    // Its callers turn whatever a frame throws into damage of its pack.
    name: 'frame', samples: [frame.sealed],
    run: (input) => {
      try {
        openFrame(input, frame.plainLength, keyring.shared.key);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    },
  },
  {
    name: 'frame-inside', samples: [zstdCompressSync(Buffer.alloc(3000, 'some text '))],
    run: (input) => {
      const sealed = keyring.shared.key.seal(random(24), input, Buffer.from('frame:zstd'));
      let opened: Buffer | undefined;
      try {
        opened = openFrame(sealed, 4000, keyring.shared.key);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
      if (opened && opened.length > 4000) throw new Error('a frame gave more than it was asked for');
    },
  },
  { name: 'index-segment', samples: [indexBytes], run: (input) => loadIndex(indexName, input) },
  {
    name: 'index-directory', samples: [directoryOf([table.frames, records].map((part) => zstdCompressSync(part).length + SEAL))],
    run: (input) => loadIndex(names.index('shared', id), sealedIndex(names.index('shared', id), [table.frames, records], () => input)),
  },
  {
    name: 'index-frames', samples: [table.frames],
    run: (input) => loadIndex(names.index('shared', id), sealedIndex(names.index('shared', id), [input, records], directoryOf)),
  },
  {
    name: 'index-records', samples: [records],
    run: (input) => loadIndex(names.index('shared', id), sealedIndex(names.index('shared', id), [table.frames, input], directoryOf)),
  },
  {
    // A cache: whoever opens it makes it anew after any error. What must not be is a crash, or a wrong file that passes.
    name: 'index-file', samples: [localBytes.subarray(0, -32), localBytes],
    run: (input) => {
      const path = join(scratch, 'local.idx');
      const whole = input.equals(localBytes) ? input : Buffer.concat([input, createHash('sha256').update(input).digest()]);
      writeFileSync(path, whole);
      let file: IndexFile | undefined;
      try {
        file = IndexFile.open(path);
      } catch (error) {
        if (error instanceof TypeError || isHoldfastError(error)) throw error;
      }
      file?.close();
    },
  },
  { name: 'segment', samples: [segmentBytes], run: (input) => proveSegment(segmentName, input, keyring) },
  {
    name: 'segment-directory', samples: [segmentTail.directory],
    run: (input) => {
      const tail = sealTail(segmentName, input, keyring.meta, random);
      proveSegment(segmentName, Buffer.concat([segmentBytes.subarray(0, segmentTail.partsEnd), ...tail]), keyring);
    },
  },
  {
    name: 'rows', samples: [encodeRowBlock(rows), encodeRowBlock([])], codes: DAMAGE,
    run: (input) => {
      const block = new RowBlock(input);
      if (block.count > 100_000) throw new Error(`a block of ${input.length} bytes says it has ${block.count} rows`);
      for (let i = 0; i < block.count; i++) {
        block.change(i);
        block.sound(i);
      }
    },
  },
];
