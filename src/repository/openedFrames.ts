import { freeBuffer } from '../runtime/index.ts';

/**
 * Opened frames by name, a few of each stream, the least lately used given up first. Memory of what was given up is freed
 * by `sweep`, not before: whoever puts an item together may still hold views of it.
 */
export class OpenedFrames {
  readonly #kept: Readonly<Record<'own' | 'shared', number>>;
  readonly #frames = { own: new Map<string, Buffer>(), shared: new Map<string, Buffer>() };
  readonly #dropped = new Set<Buffer>();
  readonly #pins = new Map<Buffer, number>();
  /** The end of each line: most frames are asked for again and again before another one is. */
  readonly #newest = { own: '', shared: '' };

  constructor(kept: Readonly<Record<'own' | 'shared', number>>) {
    this.#kept = kept;
  }

  get(stream: 'own' | 'shared', name: string): Buffer | undefined {
    return this.#frames[stream].get(name);
  }

  /** Takes a frame, or moves one to the end of the line; one that was given up and not freed yet comes back. */
  keep(stream: 'own' | 'shared', name: string, plain: Buffer): void {
    if (this.#newest[stream] === name) return;
    this.#newest[stream] = name;
    const frames = this.#frames[stream];
    frames.delete(name);
    this.#dropped.delete(plain);
    frames.set(name, plain);
    if (frames.size <= this.#kept[stream]) return;
    const [oldest, dropped] = frames.entries().next().value as [string, Buffer];
    frames.delete(oldest);
    this.#dropped.add(dropped);
  }

  /** The frame is not freed until it is unpinned as often. */
  pin(plain: Buffer): void {
    this.#pins.set(plain, (this.#pins.get(plain) ?? 0) + 1);
  }

  unpin(plain: Buffer): void {
    const pins = this.#pins.get(plain) ?? 0;
    if (pins > 1) this.#pins.set(plain, pins - 1);
    else this.#pins.delete(plain);
  }

  /** Frees what was given up and is not pinned. Nobody may hold views of it. */
  sweep(): void {
    for (const plain of this.#dropped) {
      if (this.#pins.has(plain)) continue;
      this.#dropped.delete(plain);
      freeBuffer(plain);
    }
  }
}
