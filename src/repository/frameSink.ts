import type { RandomBytes } from '../runtime/index.ts';
import { FrameBuilder, type SealedFrame } from './frame.ts';
import { OWN, SHARED_STREAM, type StoreWorkerData } from './storeProtocol.ts';
import { SealingKey } from './xaes.ts';

const SAMPLE = 4096;
/** Bits a byte of a 4,096 byte sample above which nothing can be gained; uniform random bytes give 7.95. */
const INCOMPRESSIBLE = 7.85;
const LOG2 = Float64Array.from({ length: SAMPLE + 1 }, (_, n) => (n === 0 ? 0 : n * Math.log2(n)));

/** Collects blobs by stream and by whether compressing pays, and emits sealed frames. */
export class FrameSink {
  readonly #data: StoreWorkerData;
  readonly #keys: readonly [SealingKey, SealingKey];
  readonly #emit: (stream: number, frame: SealedFrame) => void;
  readonly #random: RandomBytes;
  readonly #counts = new Uint16Array(256);
  readonly #builders = new Map<number, FrameBuilder>();

  constructor(data: StoreWorkerData, emit: (stream: number, frame: SealedFrame) => void, random: RandomBytes) {
    this.#data = data;
    this.#keys = [new SealingKey(data.frameKeys[OWN]), new SealingKey(data.frameKeys[SHARED_STREAM])];
    this.#emit = emit;
    this.#random = random;
  }

  add(stream: number, id: string, bytes: Uint8Array): void {
    const stored = stream === SHARED_STREAM && this.#incompressible(bytes);
    const slot = stream * 2 + (stored ? 1 : 0);
    let builder = this.#builders.get(slot);
    if (!builder) {
      builder = new FrameBuilder(this.#data.profile.frameBytes, stored);
      this.#builders.set(slot, builder);
    }
    if (builder.add(id, bytes)) return;
    this.#seal(slot, builder);
    builder.add(id, bytes);
  }

  flush(): void {
    for (const [slot, builder] of this.#builders) if (!builder.empty) this.#seal(slot, builder);
  }

  #seal(slot: number, builder: FrameBuilder): void {
    const stream = slot >> 1;
    this.#emit(stream, builder.seal(stream === OWN ? this.#keys[0] : this.#keys[1], this.#data.profile, this.#random));
  }

  /** Order-0 entropy of a sample from the middle; media, archives and encrypted data stand out at once. */
  #incompressible(bytes: Uint8Array): boolean {
    if (bytes.length < SAMPLE) return false;
    this.#counts.fill(0);
    const start = (bytes.length - SAMPLE) >> 1;
    for (let i = start; i < start + SAMPLE; i++) {
      const byte = bytes[i] as number;
      this.#counts[byte] = (this.#counts[byte] as number) + 1;
    }
    let sum = 0;
    for (let i = 0; i < 256; i++) sum += LOG2[this.#counts[i] as number] as number;
    return 12 - sum / SAMPLE > INCOMPRESSIBLE;
  }
}

/** A header field in the first line is what a stored mail starts with; taking apart what is none costs nothing but time. */
export function looksLikeMail(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 64);
  return /^(From |[A-Za-z][A-Za-z0-9-]{1,40}:)/.test(start);
}
