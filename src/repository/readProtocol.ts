import type { BinaryString } from '../domain/index.ts';
import type { Base64Layout } from './recipe.ts';

/** A frame that a batch needs, by where it stands. */
export interface FrameNeed {
  /** Index of the stream's key in the worker's keys. */
  readonly key: Uint8Array;
  readonly stream: string;
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  readonly plainLength: number;
}

export interface PlacedOp {
  /**
   * Three numbers a blob, end to end: which of the batch's frames, where in it, how long. Objects would be written to a
   * worker with the names of their fields, each of hundreds of thousands.
   */
  readonly blobs: readonly number[];
  readonly base64?: Base64Layout;
}

/** A file to write: the bytes of its path, and what it gets besides its content. */
export interface FileTarget {
  readonly path: BinaryString;
  readonly mode: number | null;
  /** Undefined: it stays with who restores. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Seconds since 1970, or null to leave it. */
  readonly modified: number | null;
  /** Replace what stands under the name; otherwise an existing file is an error. */
  readonly replace: boolean;
}

/** One item: how its bytes are made and what proves them (`id`: keyed id of the one blob; `sha256`: hash of the whole). */
export interface ReadJob {
  readonly ops: readonly PlacedOp[];
  readonly proof: { readonly id: BinaryString } | { readonly sha256: BinaryString } | { readonly empty: true };
  /** Undefined: the bytes are given back. */
  readonly target: FileTarget | undefined;
}

export type ReadResult =
  | { readonly written: number }
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly code: string; readonly message: string };

export type ReadRequest =
  | { readonly type: 'batch'; readonly batch: number; readonly frames: readonly FrameNeed[]; readonly jobs: readonly ReadJob[] }
  | { readonly type: 'frames'; readonly question: number; readonly sealed: readonly (Uint8Array | { code: string; message: string })[] };

/** `need` asks for the frames (indexes into the batch's) that the worker has not opened already. */
export type ReadReply =
  | { readonly type: 'need'; readonly batch: number; readonly question: number; readonly frames: readonly number[] }
  | { readonly type: 'done'; readonly batch: number; readonly results: readonly ReadResult[] }
  | { readonly type: 'failed'; readonly batch: number; readonly message: string };
