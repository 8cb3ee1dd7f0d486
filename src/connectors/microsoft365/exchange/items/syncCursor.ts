/** What a run of a sub-service with folders leaves for the next one. */
export interface SyncCursor {
  /** What the paths of its requests begin with. */
  readonly base: string;
  /** deltaLink of the folders; '' where they are all to be listed. */
  readonly folders: string;
  /** deltaLinks of the items, by folder id. */
  readonly items: Readonly<Record<string, string>>;
  /** Some contents could not be had: rows that say so are offered again. */
  readonly retry: boolean;
  /** The forms in which all items are kept. */
  readonly fidelity: string;
}

/** undefined for what is no cursor of ours. */
export function parseSyncCursor(value: unknown): SyncCursor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { base, folders, items, retry, fidelity = 'mime' } = value as Partial<Record<keyof SyncCursor, unknown>>;
  if (typeof base !== 'string' || typeof fidelity !== 'string' || typeof folders !== 'string' || typeof items !== 'object' || items === null) return undefined;
  if (!Object.values(items).every((link) => typeof link === 'string')) return undefined;
  return { base, folders, items: items as Record<string, string>, retry: retry === true, fidelity };
}
