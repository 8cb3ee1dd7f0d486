import type { HoldfastError, Outcome } from '../../../../domain/index.ts';
import type { PreviousState, SourceChange } from '../../../contract.ts';
import type { FolderRound, ItemKeys, ListedFolder } from './itemSource.ts';

/** Behind the prefix of notices, in place of the id of a folder. */
const NO_STREAMS = '!streams';

export interface NoticeOptions {
  readonly keys: ItemKeys;
  /** 'mails', for the name of the row. */
  readonly noun: string;
  readonly kind: string;
  /** Why no item of the mailbox is kept as a stream. */
  readonly denial?: HoldfastError | undefined;
}

/** Notices that stand in for the items of folders that could not be read, or not be found; those of the last run go where the folder could be read this time. */
export async function noticeChanges(
  { keys, noun, kind, denial }: NoticeOptions, folders: Iterable<ListedFolder>, rounds: ReadonlyMap<string, FolderRound>, previous: PreviousState,
): Promise<SourceChange[]> {
  const changes = new Map<string, SourceChange>();
  for await (const rows of previous.rows(keys.notices)) for (const { key } of rows) changes.set(key, { type: 'removed', key });
  if (denial !== undefined) {
    const item = { key: `${keys.notices}${NO_STREAMS}`, parent: '', name: 'Full-fidelity streams', kind, size: 0, modified: null, change: '', meta: '' };
    changes.set(item.key, { type: 'exception', item, outcome: withoutStreams(denial) });
  }
  for (const { id, name } of folders) {
    const round = rounds.get(id);
    const isUnread = round?.state === 'unread';
    if (round === undefined || (!isUnread && (round.notFound ?? 0) === 0)) continue;
    const key = keys.notices + id;
    changes.set(key, {
      type: 'exception',
      item: { key, parent: keys.folders + id, name: `${isUnread ? 'All' : 'Some'} ${noun} of ${name}`, kind, size: 0, modified: null, change: '', meta: '' },
      outcome: outcomeOf(round),
    });
  }
  return [...changes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
}

function withoutStreams({ message }: HoldfastError): Outcome {
  return { state: 'skipped', code: 'no-streams', message: `Items are kept in their readable form alone, not as full-fidelity streams. ${message} Or choose "--fidelity mime".` };
}

function outcomeOf({ state, notFound, error, isForeign, isMissing }: FolderRound): Outcome {
  if (state === 'read') {
    const them = notFound === 1 ? 'a change, and did not find the item' : `${notFound} changes, and did not find the items`;
    return { state: 'failed', code: 'not-found', message: `Microsoft 365 told of ${them} when the rest was asked for. The next run asks again; if this stays, what an earlier run has of it is all that there is.` };
  }
  if (isForeign === true) return { state: 'skipped', code: 'not-own', message: 'It belongs to another mailbox, and the application is not shown its content here. To have it in a backup, back up the mailbox that it belongs to.' };
  if (isMissing === true) {
    return { state: 'failed', code: 'folder-unreadable', message: 'Microsoft 365 listed it, but did not find it when its content was asked for: it was deleted meanwhile, or the next run reads it.' };
  }
  return { state: 'failed', code: 'folder-unreadable', message: error?.message ?? 'The folder could not be read.' };
}
