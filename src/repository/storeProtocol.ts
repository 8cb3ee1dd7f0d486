import type { BinaryString, Outcome } from '../domain/index.ts';
import type { SealedFrame } from './frame.ts';
import type { Profile } from './profile.ts';

/** Which packs a blob goes to: the entity's own, or those that all entities share (attachments, large content). */
export const OWN = 0;
export const SHARED_STREAM = 1;

/** Content that a store worker reads and keeps. */
export interface ContentJob {
  /** A file that the worker opens itself (raw bytes of its path), or the bytes. */
  readonly source: { readonly path: BinaryString } | { readonly bytes: Uint8Array<ArrayBuffer> };
  /** Size and modification time (ms) as listed: other values after reading mean that the file changed. */
  readonly size: number;
  readonly modified: number | null;
  /** A mail: its attachments become blobs of their own. Undefined: look at the first bytes. */
  readonly mail: boolean | undefined;
}

/** What became of one job: the encoded recipe and the bytes that were read, or why there are none. */
export interface ContentResult {
  readonly content: BinaryString;
  readonly size: number;
  readonly outcome?: Outcome;
}

export interface StoreWorkerData {
  readonly idKey: Uint8Array;
  readonly chunkerKey: Uint8Array;
  /** Raw keys of the own and the shared stream. */
  readonly frameKeys: readonly [Uint8Array, Uint8Array];
  readonly profile: Profile;
}

/** Main to worker. `verdict` answers `ask`: 1 for each blob that is to be stored. */
export type StoreRequest =
  | { readonly type: 'batch'; readonly batch: number; readonly jobs: readonly ContentJob[] }
  | { readonly type: 'verdict'; readonly question: number; readonly wanted: Uint8Array }
  | { readonly type: 'flush'; readonly batch: number };

/** Worker to main. Frames of a batch's blobs may come after its `done`, at the latest before `done` of a flush. */
export type StoreReply =
  | { readonly type: 'ask'; readonly question: number; readonly ids: Uint8Array }
  | { readonly type: 'frame'; readonly stream: number; readonly frame: SealedFrame }
  | { readonly type: 'done'; readonly batch: number; readonly results: readonly ContentResult[] }
  | { readonly type: 'failed'; readonly batch: number; readonly code: string; readonly message: string };
