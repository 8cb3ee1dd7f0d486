import type { BinaryString } from '../../domain/index.ts';
import type { SourceChange } from '../contract.ts';
import { describe, resultOf, type FolderResult } from './folderChanges.ts';
import { CHUNK, type FolderReader } from './folderReader.ts';
import { folderKey, messageKey } from './itemKeys.ts';
import { listedIdentity, reflagged } from './messageItem.ts';
import type { PreviousMessages } from './previousMessages.ts';
import type { UidList } from './uidList.ts';

/** Identity -> previous key; '' where two messages share it. */
type Known = Map<string, BinaryString>;

/**
 * UIDVALIDITY changed: every UID is new, the mails mostly are not. Headers are fetched and compared with the stored
 * fingerprints; a mail that is the only one of its fingerprint on both sides keeps its content, any other is fetched.
 */
export async function* renumberedFolder(
  reader: FolderReader, folder: number, previous: PreviousMessages,
): AsyncGenerator<readonly SourceChange[], FolderResult> {
  const { known, oldValidities } = await knownIdentities(previous);
  const { state, list } = await reader.uids();
  const matched = known.size === 0 ? new Map<number, Match>() : await matchAll(reader, state.uidValidity, list, known);
  const old = [...oldValidities].sort((a, b) => a - b);
  const removals = (which: (uidValidity: number) => boolean): SourceChange[] => old.filter(which)
    .map((uidValidity) => ({ type: 'removedPrefix', prefix: messageKey(folder, uidValidity, 0).slice(0, 9) }));
  const early = removals((uidValidity) => uidValidity < state.uidValidity);
  if (early.length > 0) yield early;
  let count = 0;
  for (let at = 0; at < list.length; at += CHUNK) {
    const uids = Array.from({ length: Math.min(CHUNK, list.length - at) }, (_, i) => list.uid(at + i));
    const described = await describe(reader, folder, state.uidValidity, uids.filter((uid) => !matched.has(uid)));
    const changes: SourceChange[] = [];
    for (const uid of uids) {
      const match = matched.get(uid);
      const change = match === undefined ? described.get(uid)
        : await keptChange(previous, folder, messageKey(folder, state.uidValidity, uid), match);
      if (change !== undefined) changes.push(change);
    }
    count += changes.length;
    if (changes.length > 0) yield changes;
  }
  const late = removals((uidValidity) => uidValidity > state.uidValidity);
  if (late.length > 0) yield late;
  return resultOf(state, count);
}

interface Match {
  readonly key: BinaryString;
  readonly flags: string;
}

async function keptChange(
  previous: PreviousMessages, folder: number, key: BinaryString, match: Match,
): Promise<SourceChange | undefined> {
  const row = await previous.get(match.key);
  if (row === undefined) return undefined;
  return {
    type: 'item', item: reflagged(row, key, folderKey(folder), match.flags), content: { from: 'previous', key: match.key },
  };
}

async function knownIdentities(previous: PreviousMessages): Promise<{ known: Known; oldValidities: Set<number> }> {
  const known: Known = new Map();
  const oldValidities = new Set<number>();
  for await (const row of previous.all()) {
    oldValidities.add(Buffer.from(row.key.slice(5, 9), 'latin1').readUInt32BE());
    if (row.content === '') continue;
    const identity = listedIdentity(row);
    if (identity !== undefined) known.set(identity, known.has(identity) ? '' : row.key);
  }
  return { known, oldValidities };
}

/** The messages that are the only one of their identity here and in the previous snapshot. */
async function matchAll(
  reader: FolderReader, uidValidity: number, list: UidList, known: Known,
): Promise<Map<number, Match>> {
  const byKey = new Map<BinaryString, number>();
  const matched = new Map<number, Match>();
  for (let at = 0; at < list.length; at += CHUNK) {
    const uids = Array.from({ length: Math.min(CHUNK, list.length - at) }, (_, i) => list.uid(at + i));
    for (const [uid, { identity, flags }] of await reader.identities(uidValidity, uids)) {
      const key = known.get(identity) ?? '';
      if (key === '') continue;
      const other = byKey.get(key);
      // 0 marks a key that two messages claim.
      byKey.set(key, other === undefined ? uid : 0);
      if (other === undefined) matched.set(uid, { key, flags });
      else matched.delete(other);
    }
  }
  return matched;
}
