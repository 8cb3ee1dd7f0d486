import type { FolderState } from './cursorState.ts';
import type { ListedFolder } from './folderListing.ts';

export interface FolderMatch {
  readonly number: number;
  readonly now: ListedFolder;
  /** The same folder as the last run knew it, perhaps under another name. */
  readonly before: FolderState | undefined;
}

export interface Matching {
  /** By ascending number. */
  readonly matches: readonly FolderMatch[];
  readonly gone: readonly FolderState[];
  readonly nextNumber: number;
}

/** Path of the folder above, undefined at the top. */
export function parentPath(folder: { readonly path: string; readonly delimiter: string | null }): string | undefined {
  if (folder.delimiter === null) return undefined;
  const at = folder.path.lastIndexOf(folder.delimiter);
  return at <= 0 ? undefined : folder.path.slice(0, at);
}

/** Servers may list a folder without the ones above it; each gets a row all the same. Parents come before children. */
export function withParents(listed: readonly ListedFolder[]): ListedFolder[] {
  const all = new Map(listed.map((folder) => [folder.path, folder]));
  for (const folder of listed) {
    for (let path = parentPath(folder); path !== undefined && !all.has(path); path = parentPath({ ...folder, path })) {
      const { delimiter } = folder;
      all.set(path, { path, delimiter, specialUse: '', subscribed: false, container: true, status: undefined });
    }
  }
  const order = (folder: ListedFolder): string => {
    const segments = folder.delimiter === null ? [folder.path] : folder.path.split(folder.delimiter);
    return (segments[0] === 'INBOX' ? '\0' : '\x01') + segments.join('\0');
  };
  return [...all.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function mayBeRenamed(before: FolderState, now: ListedFolder): boolean {
  const { status } = now;
  if (status === undefined || before.uidValidity === 0 || before.uidValidity !== status.uidValidity) return false;
  if (before.mailboxId !== undefined && status.mailboxId !== undefined) return false;
  if (status.uidNext < before.uidNext) return false;
  return before.modseq === undefined || status.modseq === undefined || BigInt(status.modseq) >= BigInt(before.modseq);
}

/**
 * Tells which folder of now is which one of the last run: by MAILBOXID; by path and UIDVALIDITY; renamed ones by
 * UIDVALIDITY and counters once `isSame` has compared contents; then by path alone (renumbered). The rest is new or gone.
 */
export async function matchFolders(
  known: readonly FolderState[], listed: readonly ListedFolder[], firstNumber: number,
  isSame: (before: FolderState, now: ListedFolder) => Promise<boolean>,
): Promise<Matching> {
  const open = new Set(known);
  const found = new Map<ListedFolder, FolderState>();
  const pass = async (fits: (before: FolderState, now: ListedFolder) => boolean | Promise<boolean>): Promise<void> => {
    for (const now of listed) {
      if (found.has(now)) continue;
      for (const before of open) {
        if (!await fits(before, now)) continue;
        found.set(now, before);
        open.delete(before);
        break;
      }
    }
  };
  await pass((before, now) => before.mailboxId !== undefined && before.mailboxId === now.status?.mailboxId);
  await pass((before, now) => before.path === now.path
    && (now.status === undefined || before.uidValidity === 0 || before.uidValidity === now.status.uidValidity));
  await pass(async (before, now) => mayBeRenamed(before, now) && await isSame(before, now));
  await pass((before, now) => before.path === now.path);
  let nextNumber = firstNumber;
  const matches = listed.map((now) => {
    const before = found.get(now);
    return { number: before?.number ?? nextNumber++, now, before };
  });
  return { matches: matches.sort((a, b) => a.number - b.number), gone: [...open], nextNumber };
}
