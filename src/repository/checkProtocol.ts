import type { PackFrame } from './pack.ts';

/** A whole pack to prove. */
export interface PackJob {
  readonly job: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Raw key of its frames and directory. */
  readonly key: Uint8Array;
  /** What the index says is in it; looked at where the pack's own directory cannot be read. */
  readonly expected: readonly PackFrame[] | undefined;
}

/** What a pack is worth. */
export interface PackVerdict {
  readonly job: number;
  /** Why the pack as such is damaged: its header, its directory, or bytes between its frames. */
  readonly damage: string | undefined;
  /** Offsets of frames that do not open. */
  readonly badFrames: readonly number[];
  /** Blobs that are not what their ids say: offset of the frame, offset in the opened frame. */
  readonly badBlobs: readonly (readonly [number, number])[];
  /** Digest of the directory, see {@link DirectoryDigest}; undefined where it cannot be read. */
  readonly digest: readonly [number, number, number] | undefined;
}

/**
 * Sums over the entries of a pack that do not depend on their order: equal for a directory and an index exactly when both
 * say the same. Ids are as good as random, and both sides are sealed: no attacker can make sums meet.
 */
export class DirectoryDigest {
  #count = 0;
  #a = 0;
  #b = 0;

  add(ids: Buffer, at: number, frameOffset: number, offset: number, length: number): void {
    const low = ids.readUInt32LE(at) ^ ids.readUInt32LE(at + 8) ^ ids.readUInt32LE(at + 16);
    const high = ids.readUInt32LE(at + 4) ^ ids.readUInt32LE(at + 12) ^ ids.readUInt32LE(at + 20);
    this.#count++;
    this.#a = (this.#a + Math.imul(low ^ frameOffset, 0x9e3779b1) + Math.imul(offset, 0x85ebca6b)) | 0;
    this.#b = (this.#b + Math.imul(high ^ length, 0xc2b2ae35) + Math.imul(low ^ offset, 0x27d4eb2f)) | 0;
  }

  get sums(): readonly [number, number, number] { return [this.#count, this.#a, this.#b]; }
}
