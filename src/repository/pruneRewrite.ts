import { openWhole } from './container.ts';
import { frameBytes, FrameBuilder, openFrame } from './frame.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { names } from './names.ts';
import { decodeDirectory, PACK_MAGIC, type PackFrame } from './pack.ts';
import { PackWriter } from './packWriter.ts';
import { PROFILES } from './profile.ts';
import { ID_LENGTH } from './recipe.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { damaged, isUnreadable, readHeader, type EpochKey } from './sealedObject.ts';
import type { KeyOf } from './streams.ts';

const STORED = 0x8000_0000;
/** Frames with less than this share of needed bytes are opened and packed anew; others are copied as they are. */
const LEAST_LIVE = 0.5;

/** Whether this place of a blob is needed. */
export type IsLive = (id: Buffer, pack: string, frameOffset: number) => boolean;

/** Copies what is needed of some packs of one stream into new packs. */
export class PackRewriter {
  readonly #context: RepositoryContext;
  readonly #stream: string;
  readonly #keyOf: KeyOf;
  readonly #isLive: IsLive;
  /** A frame keeps its key when it is copied, so each epoch has packs of its own. */
  readonly #writers = new Map<number, PackWriter>();
  /** By epoch, and by whether the blobs are worth compressing. */
  readonly #builders = new Map<string, { builder: FrameBuilder; key: EpochKey }>();

  constructor(context: RepositoryContext, stream: string, keyOf: KeyOf, isLive: IsLive) {
    this.#context = context;
    this.#stream = stream;
    this.#keyOf = keyOf;
    this.#isLive = isLive;
  }

  /** False where the pack cannot be read whole: it had better stay where it is. */
  async add(pack: string, signal?: AbortSignal): Promise<boolean> {
    const name = names.pack(this.#stream, pack);
    const bytes = Buffer.from(await this.#context.storage.get(name, signal ? { signal } : {}));
    let frames: PackFrame[];
    try {
      frames = decodeDirectory(name, openWhole(name, bytes, PACK_MAGIC, this.#keyOf).directory);
    } catch (error) {
      if (isUnreadable(error)) return false;
      throw error;
    }
    const epoch = readHeader(bytes, PACK_MAGIC, name);
    const key = { epoch, key: this.#keyOf(epoch) };
    const writer = this.#writer(key);
    const shares = new Map(frames.map((frame) => [frame, this.#share(pack, frame)]));
    const opened = new Map<PackFrame, Buffer>();
    // All frames are opened before the first is taken over: a pack with a damaged one is left alone.
    for (const frame of frames) {
      if (shares.get(frame) !== 'some') continue;
      try {
        opened.set(frame, openFrame(bytes.subarray(frame.offset, frame.offset + frame.length), frame.plainLength, key.key));
      } catch {
        return false;
      }
    }
    for (const frame of frames) {
      const plain = opened.get(frame);
      if (plain) await this.#reframe(pack, frame, plain, key);
      else if (shares.get(frame) === 'most') {
        await writer.ready();
        writer.add({
          sealed: Uint8Array.from(bytes.subarray(frame.offset, frame.offset + frame.length)), plainLength: frame.plainLength,
          ids: frame.ids as Uint8Array<ArrayBuffer>, lengths: frame.lengths as Uint32Array<ArrayBuffer>,
        });
      }
    }
    return true;
  }

  /** All that was taken over is in packs that stand. */
  async finish(): Promise<IndexedPack[]> {
    const packs: IndexedPack[] = [];
    for (const { builder, key } of this.#builders.values()) {
      if (!builder.empty) this.#writer(key).add(builder.seal(key.key, PROFILES.default, this.#context.random));
    }
    for (const writer of this.#writers.values()) packs.push(...(await writer.flush()));
    return packs;
  }

  #share(pack: string, frame: PackFrame): 'none' | 'some' | 'most' {
    let live = 0;
    let largest = 0;
    forBlobs(frame, (id, _, length) => {
      largest = Math.max(largest, length);
      if (this.#isLive(id, pack, frame.offset)) live += length;
    });
    const whole = frameBytes(frame.plainLength);
    if (live === 0) return 'none';
    return live < whole * LEAST_LIVE && largest <= PROFILES.default.frameBytes ? 'some' : 'most';
  }

  async #reframe(pack: string, frame: PackFrame, plain: Buffer, key: EpochKey): Promise<void> {
    const stored = frame.plainLength >= STORED;
    const slot = `${key.epoch}/${stored}`;
    let target = this.#builders.get(slot);
    if (!target) {
      target = { builder: new FrameBuilder(PROFILES.default.frameBytes, stored), key };
      this.#builders.set(slot, target);
    }
    const { builder } = target;
    const wanted: { id: string; bytes: Buffer }[] = [];
    forBlobs(frame, (id, offset, length) => {
      if (this.#isLive(id, pack, frame.offset)) wanted.push({ id: id.toString('latin1'), bytes: plain.subarray(offset, offset + length) });
    });
    for (const { id, bytes } of wanted) {
      if (builder.add(id, bytes)) continue;
      await this.#writer(key).ready();
      this.#writer(key).add(builder.seal(key.key, PROFILES.default, this.#context.random));
      if (!builder.add(id, bytes)) throw damaged(names.pack(this.#stream, pack), 'a blob in it is too large');
    }
  }

  #writer(key: EpochKey): PackWriter {
    let writer = this.#writers.get(key.epoch);
    if (!writer) {
      const { storage, clock, random } = this.#context;
      writer = new PackWriter(storage, this.#stream, key, clock, random);
      this.#writers.set(key.epoch, writer);
    }
    return writer;
  }
}

function forBlobs(frame: PackFrame, visit: (id: Buffer, offset: number, length: number) => void): void {
  const ids = Buffer.from(frame.ids.buffer, frame.ids.byteOffset, frame.ids.byteLength);
  let offset = 0;
  frame.lengths.forEach((length, i) => {
    visit(ids.subarray(i * ID_LENGTH, (i + 1) * ID_LENGTH), offset, length);
    offset += length;
  });
}
