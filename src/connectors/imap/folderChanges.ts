import type { SourceChange } from '../contract.ts';
import type { FolderState } from './cursorState.ts';
import { CHUNK, type ChangeBatches, type Delta, type FolderReader } from './folderReader.ts';
import { folderKey, messageKey, messagesPrefix } from './itemKeys.ts';
import type { MailboxState } from './mailboxCommands.ts';
import { changeOf, listedMessage, reflagged } from './messageItem.ts';
import { BLOCK, type PreviousMessages } from './previousMessages.ts';
import { UidList } from './uidList.ts';
import type { UidRange } from './uidSet.ts';

/** What became of a folder's messages; goes into the next cursor. */
export interface FolderResult {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly modseq: string | undefined;
  readonly count: number;
}

/** One event of a merge: what the server has, against what the previous snapshot has. */
interface Event {
  readonly uid: number;
  /** undefined: gone. */
  readonly present: { readonly flags: string | undefined } | undefined;
}

interface Counter {
  /** Messages that the previous snapshot has too. */
  known: number;
  fresh: number;
}

export function resultOf(state: MailboxState, count: number): FolderResult {
  return { uidValidity: state.uidValidity, uidNext: state.uidNext, modseq: state.modseq, count };
}

/** Everything of the folder against everything that the previous snapshot has of it. Needs no memory of the server's. */
export async function* mergeFolder(
  reader: FolderReader, folder: number, previous: PreviousMessages, isNew: boolean,
): AsyncGenerator<readonly SourceChange[], FolderResult> {
  const { state, list } = isNew ? await reader.uids() : await reader.flags();
  const counter = { known: 0, fresh: 0 };
  const target = { reader, folder, uidValidity: state.uidValidity, previous, counter };
  yield* emit(target, allEvents(list, isNew ? undefined : previous.all(state.uidValidity)));
  return resultOf(state, counter.known + counter.fresh);
}

/** Ascending events of the union; rows of the previous snapshot that the server lacks are gone. */
async function* allEvents(
  list: UidList, rows: AsyncGenerator<{ readonly key: string }> | undefined,
): AsyncGenerator<Event> {
  let at = 0;
  if (rows !== undefined) {
    for await (const row of rows) {
      const uid = uidOf(row.key);
      for (; at < list.length && list.uid(at) <= uid; at++) yield presentAt(list, at);
      if (!(at > 0 && list.uid(at - 1) === uid)) yield { uid, present: undefined };
    }
  }
  for (; at < list.length; at++) yield presentAt(list, at);
}

function presentAt(list: UidList, at: number): Event {
  return { uid: list.uid(at), present: { flags: list.flags(at) } };
}

function uidOf(key: string): number {
  return Buffer.from(key.slice(9), 'latin1').readUInt32BE();
}

/**
 * What changed since the last run by the server's mod-sequences. Gives undefined, having emitted nothing, when the
 * numbers do not add up; then only {@link mergeFolder} tells.
 */
export async function* deltaFolder(
  reader: FolderReader, folder: number, previous: PreviousMessages, before: FolderState, modseq: string,
): AsyncGenerator<readonly SourceChange[], FolderResult | undefined> {
  const delta = await reader.delta(before.uidValidity, modseq);
  const { state } = delta;
  if (state.uidValidity !== before.uidValidity || state.modseq === undefined) return undefined;
  let fresh = 0;
  for (let i = 0; i < delta.changed.length; i++) if (delta.changed.uid(i) >= before.uidNext) fresh++;
  const removed = await removedUids(reader, previous, before, delta, fresh);
  if (before.count - removed.length + fresh !== state.exists) return undefined;
  const counter = { known: 0, fresh: 0 };
  const target = { reader, folder, uidValidity: state.uidValidity, previous, counter };
  yield* emit(target, deltaEvents(delta.changed, removed));
  return resultOf(state, before.count - removed.length + counter.fresh);
}

async function* deltaEvents(changed: UidList, removed: UidList): AsyncGenerator<Event> {
  let at = 0;
  for (let i = 0; i < removed.length; i++) {
    const uid = removed.uid(i);
    for (; at < changed.length && changed.uid(at) < uid; at++) yield presentAt(changed, at);
    // Expunged after its change was told.
    if (at < changed.length && changed.uid(at) === uid) at++;
    yield { uid, present: undefined };
  }
  for (; at < changed.length; at++) yield presentAt(changed, at);
}

/** Rows of the previous snapshot that are gone: named by the server, or found by a search if the counts ask for one. */
async function removedUids(
  reader: FolderReader, previous: PreviousMessages, before: FolderState, delta: Delta, fresh: number,
): Promise<UidList> {
  const removed = new UidList();
  if (delta.vanished === undefined) {
    if (before.count + fresh === delta.state.exists) return removed;
    const { list } = await reader.uids();
    for await (const row of previous.all(before.uidValidity)) {
      if (!list.has(uidOf(row.key))) removed.add(uidOf(row.key), undefined);
    }
    return removed;
  }
  const ranges = delta.vanished.filter(([first]) => first < before.uidNext).sort((a, b) => a[0] - b[0]);
  const blocks = ranges.reduce((sum, [first, last]) => sum + Math.ceil((last - first + 1) / BLOCK), 0);
  // A server that forgot its expunges names every UID that is not there; then one pass over all rows is cheaper.
  if (blocks > 64 + before.count / BLOCK) {
    for await (const row of previous.all(before.uidValidity)) {
      const uid = uidOf(row.key);
      if (isIn(ranges, uid)) removed.add(uid, undefined);
    }
    return removed;
  }
  for (const [first, last] of ranges) {
    for (let uid = first; uid <= Math.min(last, before.uidNext - 1); uid++) {
      const row = await previous.get(messageKey(before.number, before.uidValidity, uid));
      if (row !== undefined) removed.add(uid, undefined);
    }
  }
  return removed.sort();
}

function isIn(ranges: readonly UidRange[], uid: number): boolean {
  return ranges.some(([first, last]) => first <= uid && uid <= last);
}

interface Target {
  readonly reader: FolderReader;
  readonly folder: number;
  readonly uidValidity: number;
  readonly previous: PreviousMessages;
  readonly counter: Counter;
}

/** Turns ascending events into changes, a chunk at a time: what is new gets its size and date from the server. */
async function* emit(target: Target, events: AsyncGenerator<Event>): ChangeBatches {
  let chunk: Event[] = [];
  for await (const event of events) {
    chunk.push(event);
    if (chunk.length < CHUNK) continue;
    yield* nonEmpty(await changesOf(target, chunk));
    chunk = [];
  }
  if (chunk.length > 0) yield* nonEmpty(await changesOf(target, chunk));
}

function* nonEmpty(changes: readonly SourceChange[]): Generator<readonly SourceChange[]> {
  if (changes.length > 0) yield changes;
}

async function changesOf(target: Target, events: readonly Event[]): Promise<SourceChange[]> {
  const { reader, folder, uidValidity, previous, counter } = target;
  const slots: (SourceChange | { readonly fresh: number } | undefined)[] = [];
  for (const { uid, present } of events) {
    const key = messageKey(folder, uidValidity, uid);
    if (present === undefined) {
      slots.push({ type: 'removed', key });
      continue;
    }
    const row = await previous.get(key);
    if (row === undefined) {
      slots.push({ fresh: uid });
      continue;
    }
    counter.known++;
    const flags = present.flags ?? Buffer.from(row.change, 'latin1').toString('utf8');
    const item = reflagged(row, key, folderKey(folder), flags);
    if (row.outcome !== '' && row.content === '') slots.push({ type: 'item', item, content: { from: 'fetch' } });
    else if (row.change !== changeOf(flags)) slots.push({ type: 'item', item, content: { from: 'kept' } });
  }
  const fresh = slots.flatMap((slot) => (slot !== undefined && 'fresh' in slot ? [slot.fresh] : []));
  const described = await describe(reader, folder, uidValidity, fresh);
  counter.fresh += described.size;
  return slots.flatMap((slot) => {
    if (slot === undefined) return [];
    if (!('fresh' in slot)) return [slot];
    const change = described.get(slot.fresh);
    return change === undefined ? [] : [change];
  });
}

/** New messages as items to fetch; an exception for one that exists and can not be described; nothing for one gone by now. */
export async function describe(
  reader: FolderReader, folder: number, uidValidity: number, uids: readonly number[],
): Promise<Map<number, SourceChange>> {
  const changes = new Map<number, SourceChange>();
  if (uids.length === 0) return changes;
  const rows = await reader.list(uidValidity, uids);
  const missing = uids.filter((uid) => !rows.has(uid));
  const existing = missing.length === 0 ? new Set<number>() : await reader.existing(uidValidity, missing);
  for (const uid of uids) {
    const row = rows.get(uid);
    if (row !== undefined) {
      changes.set(uid, { type: 'item', item: listedMessage(folder, uidValidity, row), content: { from: 'fetch' } });
    } else if (existing.has(uid)) {
      const message = 'The server names this mail but gives neither its size nor its date.';
      changes.set(uid, {
        type: 'exception', item: listedMessage(folder, uidValidity, { uid }),
        outcome: { state: 'failed', code: 'unreadable', message },
      });
    }
  }
  return changes;
}

/** The notice that stands in for the messages of a folder that could not be read. */
export function unreadNotice(folder: number, name: string, message: string): SourceChange {
  return {
    type: 'exception',
    item: {
      key: messagesPrefix(folder), parent: folderKey(folder), name: `All mails of ${name}`, kind: 'mail',
      size: 0, modified: null, change: '', meta: '',
    },
    outcome: { state: 'failed', code: 'folder-unreadable', message },
  };
}
