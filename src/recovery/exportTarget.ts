import type { ObjectSink } from '../storage/objectSink.ts';

/** Where the files of an export go, and how large those that hold several items become. */
export interface ExportTarget {
  readonly sink: ObjectSink;
  readonly partSize: number;
  readonly signal: AbortSignal;
}
