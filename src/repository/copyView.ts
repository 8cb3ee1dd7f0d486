import { HoldfastError, messageOf, type Progress } from '../domain/index.ts';
import { lockedUntil } from './openLocked.ts';
import type { RepositoryContext } from './repositoryContext.ts';

/** Findings that a report names; more are counted. */
const NAMED = 1000;
/** Read back of a pack that was put: its directory, as a rule, and the trailer. */
const TAIL = 64 * 1024;

/** Something that could not be copied as it should be in the source. */
export interface CopyFinding {
  /** Full name of the object, or `snapshots/…` of the snapshot that lacks something. */
  readonly object: string;
  readonly code: string;
  readonly message: string;
}

/** What one run of `copy` shares: both sides, what it counts, and what it has to tell. */
export class CopyView {
  readonly source: RepositoryContext;
  readonly target: RepositoryContext;
  readonly readBack: boolean;
  readonly signal: AbortSignal | undefined;
  readonly findings: CopyFinding[] = [];
  readonly counts = { objects: 0, packs: 0, snapshots: 0, bytes: 0, bytesReadBack: 0, findings: 0 };
  readonly #progress: Progress | undefined;
  #totals: { readonly totalItems: number; readonly totalBytes: number } | undefined;

  constructor(source: RepositoryContext, target: RepositoryContext, options: { readBack?: boolean; signal?: AbortSignal; progress?: Progress }) {
    this.source = source;
    this.target = target;
    this.readBack = options.readBack ?? false;
    this.signal = options.signal;
    this.#progress = options.progress;
  }

  get options(): { signal?: AbortSignal } { return this.signal ? { signal: this.signal } : {}; }

  /** Packs are nearly all the bytes: the display counts them alone. */
  expect(packs: number, bytes: number): void {
    this.#totals = { totalItems: packs, totalBytes: bytes };
    this.tell();
  }

  tell(): void {
    this.#progress?.({ type: 'progress', stage: 'copy', items: this.counts.packs, bytes: this.counts.bytes, ...this.#totals });
  }

  find(object: string, code: string, message: string): void {
    this.counts.findings++;
    if (this.findings.length < NAMED) this.findings.push({ object, code, message });
  }

  findError(object: string, error: unknown): void {
    this.find(object, error instanceof HoldfastError ? error.code.replace(/^repository\//, '') : 'unreadable', messageOf(error));
  }

  get(name: string): Promise<Uint8Array> {
    return this.source.storage.get(name, this.options);
  }

  /** Puts the bytes into the copy and reads back what proves that they are there. Errors: `copy/read-back`. */
  async put(name: string, bytes: Uint8Array, whole = true): Promise<void> {
    await this.target.storage.put(name, [bytes], this.options);
    const from = whole || this.readBack ? 0 : Math.max(0, bytes.length - TAIL);
    const range = { offset: from, length: bytes.length - from + 1 };
    const stored = await this.target.storage.get(name, { range, ...this.options });
    this.counts.bytesReadBack += stored.length;
    if (!Buffer.from(stored.buffer, stored.byteOffset, stored.length).equals(bytes.subarray(from))) {
      // Under its name and with the right size the next run would take it for whole.
      const until = await lockedUntil(this.target, name);
      if (until === undefined) await this.target.storage.delete(name);
      throw new HoldfastError('copy/read-back', 'retry',
        `The storage at ${this.target.storage.location} gave back other bytes than it was given for ${name}. `
        + (until === undefined ? 'Run the copy again; if it happens again, do not rely on that storage.'
          : `It is locked there until ${new Date(until).toISOString()} and cannot be replaced. Copy to another place.`), { data: { object: name } });
    }
    this.counts.objects++;
    this.counts.bytes += bytes.length;
  }
}
