import { openWhole } from './container.ts';
import { frameBytes, FrameBuilder, openFrame, resealFrame } from './frame.ts';
import type { IndexedPack } from './indexBuilder.ts';
import { names, SHARED } from './names.ts';
import { decodeDirectory, PACK_MAGIC, type PackFrame } from './pack.ts';
import { PackWriter } from './packWriter.ts';
import { PROFILES } from './profile.ts';
import { ID_LENGTH } from './recipe.ts';
import type { RepositoryContext } from './repositoryContext.ts';
import { damaged, isUnreadable, readHeader, type EpochKey } from './sealedObject.ts';
import type { KeyOf } from './streams.ts';
import type { SealingKey } from './xaes.ts';

const STORED = 0x8000_0000;
/** Frames with less than this share of needed bytes are opened and packed anew; others are copied as they are. */
const LEAST_LIVE = 0.5;

/** Whether this place of a blob is needed. */
export type IsLive = (id: Buffer, pack: string, frameOffset: number) => boolean;

/**
 * Copies what is needed of some packs of one stream into new packs, which are of the newest key epoch: a frame that was
 * sealed with an older key is sealed anew. With `exact` a frame with anything in it that is not needed is made again.
 */
export class PackRewriter {
  readonly #context: RepositoryContext;
  readonly #stream: string;
  readonly #keyOf: KeyOf;
  readonly #isLive: IsLive;
  readonly #exact: (pack: string) => boolean;
  readonly #key: EpochKey;
  readonly #writer: PackWriter;
  /** By whether the blobs are worth compressing. */
  readonly #builders = new Map<boolean, FrameBuilder>();

  constructor(context: RepositoryContext, stream: string, keyOf: KeyOf, isLive: IsLive, exact: (pack: string) => boolean = () => false) {
    const { storage, keyring, clock, random } = context;
    this.#context = context;
    this.#stream = stream;
    this.#keyOf = keyOf;
    this.#isLive = isLive;
    this.#exact = exact;
    // The number says nothing in an entity's own packs.
    this.#key = stream === SHARED ? keyring.shared : { epoch: 1, key: keyOf(1) };
    this.#writer = new PackWriter(storage, stream, this.#key, clock, random);
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
    const key = this.#keyOf(readHeader(bytes, PACK_MAGIC, name));
    const shares = new Map(frames.map((frame) => [frame, this.#share(pack, frame)]));
    const opened = new Map<PackFrame, Buffer>();
    const sealed = new Map<PackFrame, Uint8Array<ArrayBuffer>>();
    // All frames are opened before the first is taken over: a pack with a damaged one is left alone.
    for (const frame of frames) {
      const share = shares.get(frame);
      if (share === 'none') continue;
      const at = bytes.subarray(frame.offset, frame.offset + frame.length);
      try {
        if (share === 'some') opened.set(frame, openFrame(at, frame.plainLength, key));
        else sealed.set(frame, this.#sealedAnew(at, frame, key));
      } catch {
        return false;
      }
    }
    for (const frame of frames) {
      const plain = opened.get(frame);
      const whole = sealed.get(frame);
      if (plain) await this.#reframe(pack, frame, plain);
      else if (whole) {
        await this.#writer.ready();
        this.#writer.add({
          sealed: whole, plainLength: frame.plainLength,
          ids: frame.ids as Uint8Array<ArrayBuffer>, lengths: frame.lengths as Uint32Array<ArrayBuffer>,
        });
      }
    }
    return true;
  }

  /** As it is, where its key is the one that seals now. */
  #sealedAnew(sealed: Uint8Array, frame: PackFrame, key: SealingKey): Uint8Array<ArrayBuffer> {
    const same = key === this.#key.key && !key.several;
    const anew = same ? Uint8Array.from(sealed) : resealFrame(sealed, frame.plainLength, key, this.#key.key, this.#context.random);
    return anew as Uint8Array<ArrayBuffer>;
  }

  /** All that was taken over is in packs that stand. */
  async finish(): Promise<IndexedPack[]> {
    for (const builder of this.#builders.values()) {
      if (!builder.empty) this.#writer.add(builder.seal(this.#key.key, PROFILES.default, this.#context.random));
    }
    return this.#writer.flush();
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
    if (this.#exact(pack)) return live < whole ? 'some' : 'most';
    return live < whole * LEAST_LIVE && largest <= PROFILES.default.frameBytes ? 'some' : 'most';
  }

  async #reframe(pack: string, frame: PackFrame, plain: Buffer): Promise<void> {
    const stored = frame.plainLength >= STORED;
    let builder = this.#builders.get(stored);
    if (!builder) {
      builder = new FrameBuilder(PROFILES.default.frameBytes, stored);
      this.#builders.set(stored, builder);
    }
    const wanted: { id: string; bytes: Buffer }[] = [];
    forBlobs(frame, (id, offset, length) => {
      if (this.#isLive(id, pack, frame.offset)) wanted.push({ id: id.toString('latin1'), bytes: plain.subarray(offset, offset + length) });
    });
    for (const { id, bytes } of wanted) {
      if (builder.add(id, bytes)) continue;
      await this.#writer.ready();
      this.#writer.add(builder.seal(this.#key.key, PROFILES.default, this.#context.random));
      if (!builder.add(id, bytes)) throw damaged(names.pack(this.#stream, pack), 'a blob in it is too large');
    }
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
