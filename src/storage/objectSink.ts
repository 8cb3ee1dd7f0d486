/** One object on its way to a place outside of a repository. Calls one at a time. */
export interface ObjectWriter {
  /** Resolves when the place can take more; `bytes` are not changed by the caller afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** The object stands whole under its name when this returns, and not before. */
  finish(): Promise<void>;
  /** Ends without the object; nothing of it stays, or {@link ObjectSink.discard} takes it away. After a failed call too, and after any other end it does nothing. */
  abandon(): Promise<void>;
}

/**
 * A place that files are exported to: a folder or a bucket. Unlike a storage it takes names of people, and objects larger than
 * memory, as streams. Names: '/'-separated parts of UTF-8 that the caller made safe, at most 900 bytes. Several objects may be
 * open at once. Failures are those of the storage contract.
 *
 * A folder writes each object under `<name>.partial` until it is finished; a bucket uploads parts of some MiB, puts them together at the end, and
 * holds one of them in memory for each object that is open.
 */
export interface ObjectSink {
  /** Where this is, for messages: an URL without secrets. */
  readonly location: string;
  /**
   * Takes an empty place for one export and makes it where it is missing. Anything there: `export/not-empty` (class input),
   * and nothing is changed. To be called first.
   */
  claim(options: { readonly signal: AbortSignal }): Promise<void>;
  /** A folder that holds nothing yet; a place that has no folders ignores it. */
  folder(name: string): Promise<void>;
  open(name: string, options: { readonly signal: AbortSignal }): Promise<ObjectWriter>;
  /** Everything that was finished survives a crash from now on. */
  settle(): Promise<void>;
  /** Takes away all that was written through this sink, parts of unfinished objects too; whatever else has come into the place stays. Throws where something of it stays. */
  discard(): Promise<void>;
}
