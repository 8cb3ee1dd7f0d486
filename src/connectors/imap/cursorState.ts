/** What is known of a folder between runs. */
export interface FolderState {
  /** Our own number, given at first sight and never again to another folder. */
  readonly number: number;
  /** As the server spells it. */
  readonly path: string;
  readonly delimiter: string | null;
  /** '\\Sent' …, '' for none. */
  readonly specialUse: string;
  readonly subscribed: boolean;
  /** \Noselect or \NonExistent: holds folders only. */
  readonly container: boolean;
  readonly mailboxId?: string;
  /** 0 while no listing has succeeded. */
  readonly uidValidity: number;
  readonly uidNext: number;
  /** HIGHESTMODSEQ, decimal; undefined where there is none. */
  readonly modseq?: string;
  /** Messages that the snapshot has of it. */
  readonly count: number;
  /** The last run could not read it and left a notice in place of its messages. */
  readonly unread?: boolean;
  /** The last run could not even ask for its state; its row says so. */
  readonly troubled?: boolean;
  /** Contents that the last run failed to get, to be tried again. */
  readonly retry?: boolean;
}

export interface CursorState {
  readonly version: 1;
  readonly nextNumber: number;
  readonly folders: readonly FolderState[];
}

/** undefined for text that is no cursor of ours: then everything is listed again. */
export function parseCursor(text: string | undefined): CursorState | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<CursorState> | null;
    const sound = value?.version === 1 && Array.isArray(value.folders) && Number.isInteger(value.nextNumber)
      && value.folders.every((folder) => Number.isInteger(folder.number) && typeof folder.path === 'string');
    return sound ? value as CursorState : undefined;
  } catch {
    return undefined;
  }
}
