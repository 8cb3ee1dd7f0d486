import type { NotedChange, UndoResult } from '../../../../contract.ts';
import { textOf } from '../../../graph/pages.ts';
import { CHANGED, IN_DOUBT, left, NOTHING, orFailed, someAtOnce, UNDONE, worst, type PartUndo, type UndoCall, type UndoContext } from '../../undo/undoResults.ts';
import { NAME } from '../mailKeys.ts';
import type { MailFolderMendNote, MailFolderNote, MailNote, MailOutcome, MailPlace } from '../restore/mailNotes.ts';
import { WRITE_PURPOSE } from '../restore/mailPlaces.ts';
import { sameState } from '../restore/mailState.ts';
import { FoldersNow } from './foldersNow.ts';
import { MailFolderUndo } from './mailFolderUndo.ts';
import { mailsOfRestore, readMails, type MailNow } from './mailsNow.ts';

const DELETED = 'deleteditems';

interface Asked {
  readonly note: MailNote;
  readonly outcome: MailOutcome | undefined;
}

/**
 * Takes back what a restore did to mail. What it made goes to Deleted Items, what it sent there comes back, what it moved or marked is as it was. Nothing is deleted
 * for good, and a mail that is not as the restore left it is left alone.
 */
export class MailUndo implements PartUndo {
  readonly name = NAME;
  readonly #context: UndoContext;
  #folders: Promise<FoldersNow> | undefined;

  constructor(context: UndoContext) {
    this.#context = context;
  }

  async undo(changes: readonly NotedChange[], call: UndoCall): Promise<readonly UndoResult[]> {
    const folders = await this.#loaded(call.signal);
    const results = new Map<NotedChange, UndoResult>();
    const mails = changes.filter(({ note }) => note['act'] === 'mail');
    const asked = new Map(mails.map((change) => [change, { note: change.note as MailNote, outcome: change.outcome as MailOutcome | undefined }] as const));
    const now = await readMails(this.#context.access, [...new Set([...asked.values()].flatMap(idsOf))], call.signal);
    const unsure = await this.#findMade([...asked.values()], folders, call.signal);
    await someAtOnce([...asked], this.#context.access.budget.concurrent, async ([change, one]) => {
      results.set(change, await this.#undoMail(one, now, unsure.get(one.note.source) ?? [], folders, call));
    });
    // One after the other, the latest first: a folder lies in one that was made before it.
    const folderUndo = new MailFolderUndo(this.#context.access, folders);
    for (const change of changes) {
      if (change.note['act'] === 'folder') results.set(change, await folderUndo.remove(change.note as MailFolderNote, textOf(change.outcome ?? {}, 'id'), call));
      if (change.note['act'] === 'mendFolder') results.set(change, await folderUndo.mend(change.note as MailFolderMendNote, call));
    }
    return changes.map((change) => results.get(change) ?? left('not-known', 'This version of Holdfast does not know this change. Use the one that restored it.'));
  }

  /** Of changes of which nobody knows how far they came: what the restore made, by the mail that it was made from. */
  async #findMade(asked: readonly Asked[], folders: FoldersNow, signal: AbortSignal): Promise<ReadonlyMap<string, readonly MailNow[]>> {
    const unsure = asked.filter(({ outcome }) => outcome === undefined);
    const sources = new Set(unsure.map(({ note }) => note.source));
    const searched = unsure.some(({ note }) => note.folderId === null) ? folders.ids : new Set(unsure.flatMap(({ note: { folderId } }) => folderId ?? []));
    const found = new Map<string, MailNow[]>();
    for (const id of searched) {
      for await (const mails of mailsOfRestore(this.#context.access, id, this.#context.restore, signal)) {
        for (const mail of mails) if (sources.has(mail.origin?.source ?? '')) found.set(mail.origin?.source ?? '', [...found.get(mail.origin?.source ?? '') ?? [], mail]);
      }
    }
    return found;
  }

  async #undoMail({ note, outcome }: Asked, now: ReadonlyMap<string, MailNow>, made: readonly MailNow[], folders: FoldersNow, call: UndoCall): Promise<UndoResult> {
    return await orFailed(call.signal, async () => {
      const results: UndoResult[] = [];
      // What was there before comes back first, so that there is always one of them.
      for (const place of note.instead) results.push(await this.#bringBack(place, now.get(place.id), folders, call));
      if (outcome?.made === true) results.push(await this.#putAway(now.get(outcome.id), (mail) => mail.change === outcome.change, folders, call));
      else if (note.standing !== null) results.push(await this.#putBack({ note, outcome }, note.standing, now.get(note.standing.id), folders, call));
      for (const mail of made) {
        if (mail.id !== note.standing?.id) results.push(await this.#putAway(mail, (one) => one.origin?.whole === false || isAsLeft(one, note), folders, call));
      }
      if (note.isStream && outcome === undefined && made.length === 0) results.push(IN_DOUBT);
      return worst(results);
    });
  }

  /** What the restore made goes to Deleted Items. */
  async #putAway(mail: MailNow | undefined, isOurs: (mail: MailNow) => boolean, folders: FoldersNow, call: UndoCall): Promise<UndoResult> {
    if (mail === undefined || folders.isDeleted(mail.folderId)) return NOTHING;
    if (!isOurs(mail)) return CHANGED;
    folders.leaves(mail.folderId);
    if (!call.dryRun) await this.#move(mail.id, DELETED, call.signal);
    return UNDONE;
  }

  /** What gave way to it comes back to where it was. */
  async #bringBack({ id, folderId }: MailPlace, mail: MailNow | undefined, folders: FoldersNow, call: UndoCall): Promise<UndoResult> {
    if (mail?.folderId === folderId) return NOTHING;
    if (mail === undefined) return left('gone', 'What the restore put into Deleted Items is not there any more. It may be in a snapshot from before the restore.');
    if (folders.wellKnown(mail.folderId) !== DELETED) return left('changed-since', 'What the restore put into Deleted Items was moved from there since, and stays where it is.');
    if (!folders.has(folderId)) return left('no-folder', 'The folder in which it was before is not there any more, so it stays in Deleted Items.');
    if (!call.dryRun) await this.#move(id, folderId, call.signal);
    return UNDONE;
  }

  /** What the restore moved or marked is as it was. */
  async #putBack({ note, outcome }: Asked, before: NonNullable<MailNote['standing']>, mail: MailNow | undefined, folders: FoldersNow, call: UndoCall): Promise<UndoResult> {
    if (mail === undefined) return NOTHING;
    const [isPlace, isState] = [mail.folderId === before.folderId, sameState(mail.state, before.state, undefined)];
    if (isPlace && isState) return NOTHING;
    if (!isAsPut(mail, { note, outcome }, { isPlace, isState })) return CHANGED;
    if (!isPlace) folders.leaves(mail.folderId);
    if (call.dryRun) return UNDONE;
    if (!isState) await this.#patch(mail.id, { ...before.state }, call.signal);
    if (isPlace) return UNDONE;
    if (!folders.isRecoverable(before.folderId)) {
      await this.#move(mail.id, before.folderId, call.signal);
      return UNDONE;
    }
    await this.#move(mail.id, DELETED, call.signal);
    return { result: 'altered', code: 'not-recoverable', message: 'It lay in Recoverable Items, where nothing can be written; it is in Deleted Items now.' };
  }

  async #move(id: string, destinationId: string, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#context.access;
    await graph.post(`${path}/messages/${encodeURIComponent(id)}/move`, { destinationId }, { purpose: WRITE_PURPOSE, budget, signal, repeatable: true });
  }

  async #patch(id: string, changes: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void> {
    const { graph, path, budget } = this.#context.access;
    await graph.patch(`${path}/messages/${encodeURIComponent(id)}`, changes, { purpose: WRITE_PURPOSE, budget, signal });
  }

  async #loaded(signal: AbortSignal): Promise<FoldersNow> {
    this.#folders ??= FoldersNow.load(this.#context.access, signal).catch((error: unknown) => {
      this.#folders = undefined;
      throw error;
    });
    return await this.#folders;
  }

  close(): Promise<void> {
    this.#folders = undefined;
    return Promise.resolve();
  }
}

function idsOf({ note, outcome }: Asked): string[] {
  return [...(outcome === undefined ? [] : [outcome.id]), ...(note.standing === null ? [] : [note.standing.id]), ...note.instead.map(({ id }) => id)];
}

/** Of a mail that was moved or marked: nothing of it is neither as it was before nor as the restore put it. */
function isAsPut(mail: MailNow, { note, outcome }: Asked, { isPlace, isState }: { readonly isPlace: boolean; readonly isState: boolean }): boolean {
  if (outcome !== undefined && outcome.change !== '' && outcome.change === mail.change) return true;
  const came = outcome?.folderId ?? note.folderId;
  const isOurPlace = isPlace || came === null || mail.folderId === came;
  return isOurPlace && (isState || sameState(mail.state, note.state, undefined));
}

/** Of a mail that was made when nobody could note it any more: where and how the restore wanted it. That it is unread is the last thing that a restore says. */
function isAsLeft({ folderId, state }: MailNow, note: MailNote): boolean {
  return (note.folderId === null || folderId === note.folderId) && sameState({ ...state, isRead: true }, { ...note.state, isRead: true }, undefined);
}
