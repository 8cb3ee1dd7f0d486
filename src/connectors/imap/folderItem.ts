import type { ItemRow } from '../../domain/index.ts';
import type { SourceItem } from '../contract.ts';
import type { FolderState } from './cursorState.ts';
import type { FolderMatch } from './folderMatching.ts';
import { parentPath } from './folderMatching.ts';
import { folderKey, folderNumber } from './itemKeys.ts';
import { decodeModifiedUtf7, encodeModifiedUtf7 } from './modifiedUtf7.ts';

/** The fields of a folder's row; those that are empty or false are left out. */
export interface FolderMeta {
  /** '\\Sent' … */
  readonly specialUse?: string;
  readonly subscribed?: boolean;
  /** Holds folders only. */
  readonly container?: boolean;
  readonly delimiter?: string;
}

export function parseFolderMeta(meta: string): FolderMeta {
  try {
    const value: unknown = JSON.parse(meta);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

type Described = Pick<FolderState, 'path' | 'delimiter' | 'specialUse' | 'subscribed' | 'container'>;

/** The last part of the path, readable. */
export function folderName(folder: Described): string {
  const above = parentPath(folder);
  return decodeModifiedUtf7(above === undefined ? folder.path : folder.path.slice(above.length + 1));
}

/** `numbers`: path -> number of all folders of that time. */
export function folderItem(number: number, folder: Described, numbers: ReadonlyMap<string, number>): SourceItem {
  const above = parentPath(folder);
  const parent = above === undefined ? undefined : numbers.get(above);
  const meta: FolderMeta = {
    ...(folder.specialUse === '' ? {} : { specialUse: folder.specialUse }),
    ...(folder.subscribed ? { subscribed: true } : {}), ...(folder.container ? { container: true } : {}),
    ...(folder.delimiter === null ? {} : { delimiter: folder.delimiter }),
  };
  const name = folderName(folder);
  const text = JSON.stringify(meta);
  return {
    key: folderKey(number), parent: parent === undefined ? '' : folderKey(parent), name, kind: 'folder', size: 0,
    modified: null, change: Buffer.from(`${parent ?? 0} ${name}\n${text}`, 'utf8').toString('latin1'), meta: text,
  };
}

/** The state that goes into the cursor before anything is known of the messages. */
export function describedState(match: FolderMatch): Omit<FolderState, 'uidValidity' | 'uidNext' | 'count'> {
  const { path, delimiter, specialUse, subscribed, container, status, trouble } = match.now;
  return {
    number: match.number, path, delimiter, specialUse, subscribed, container,
    ...(status?.mailboxId === undefined ? {} : { mailboxId: status.mailboxId }),
    ...(trouble === undefined ? {} : { troubled: true }),
  };
}

/**
 * Folders as the rows of a snapshot tell them, for a run whose cursor is lost: the numbers stay, and `retry` makes
 * their messages be compared one by one.
 */
export function statesFromRows(rows: readonly ItemRow[]): FolderState[] {
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const segments = (row: ItemRow, depth = 0): string[] => {
    const above = byKey.get(row.parent);
    return [...(above === undefined || depth > 100 ? [] : segments(above, depth + 1)), encodeModifiedUtf7(row.name)];
  };
  return rows.map((row) => {
    const meta = parseFolderMeta(row.meta);
    return {
      number: folderNumber(row.key), path: segments(row).join(meta.delimiter ?? ''), delimiter: meta.delimiter ?? null,
      specialUse: meta.specialUse ?? '', subscribed: meta.subscribed === true, container: meta.container === true,
      uidValidity: 0, uidNext: 0, count: 0, retry: true,
      ...(row.outcome === '' ? {} : { troubled: true }),
    };
  });
}
