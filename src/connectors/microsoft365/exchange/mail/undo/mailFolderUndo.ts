import type { UndoResult } from '../../../../contract.ts';
import { hasCode } from '../../../graph/graphErrors.ts';
import { idOf, pages, textOf, type Entry } from '../../../graph/pages.ts';
import type { TargetAccess } from '../../subTarget.ts';
import { CHANGED, left, NOTHING, orFailed, UNDONE, type UndoCall } from '../../undo/undoResults.ts';
import { MAIL_PURPOSE } from '../mailFolders.ts';
import type { MailFolderMendNote, MailFolderNote } from '../restore/mailNotes.ts';
import { WRITE_PURPOSE } from '../restore/mailPlaces.ts';
import type { FoldersNow } from './foldersNow.ts';

const OPTIONS = '$select=id,displayName,parentFolderId,totalItemCount,childFolderCount';

/** Takes back what a restore did to mail folders, one after the other. */
export class MailFolderUndo {
  readonly #access: TargetAccess;
  readonly #folders: FoldersNow;

  constructor(access: TargetAccess, folders: FoldersNow) {
    this.#access = access;
    this.#folders = folders;
  }

  /** One that the restore made, or may have made (`id` ''), goes to Deleted Items, if nothing is in it. */
  async remove({ name, parentId }: MailFolderNote, id: string, { dryRun, signal }: UndoCall): Promise<UndoResult> {
    return await orFailed(signal, async () => {
      const folder = id === '' ? await this.#child(parentId, name, signal) : await this.#folder(id, signal);
      if (folder === undefined) return NOTHING;
      const [now, above] = [idOf(folder), textOf(folder, 'parentFolderId')];
      if (above !== parentId && this.#folders.isDeleted(above)) return NOTHING;
      if (above !== parentId || textOf(folder, 'displayName') !== name) return CHANGED;
      const inside = Number(folder['totalItemCount'] ?? 0) + Number(folder['childFolderCount'] ?? 0) - (dryRun ? this.#folders.leaving(now) : 0);
      if (inside > 0) return left('not-empty', 'The restore made this folder, and something else is in it now, so it stays.');
      this.#folders.leaves(above);
      if (!dryRun) await this.#access.graph.remove(this.#path(now), this.#call(signal));
      return UNDONE;
    });
  }

  async mend({ id, before, after }: MailFolderMendNote, { dryRun, signal }: UndoCall): Promise<UndoResult> {
    return await orFailed(signal, async () => {
      const folder = await this.#folder(id, signal);
      if (folder === undefined) return NOTHING;
      const [name, parentId] = [textOf(folder, 'displayName'), textOf(folder, 'parentFolderId')];
      if (name === before.name && parentId === before.parentId) return NOTHING;
      if ((name !== after.name && name !== before.name) || (parentId !== after.parentId && parentId !== before.parentId)) return CHANGED;
      if (parentId !== before.parentId && !this.#folders.has(before.parentId)) return left('no-folder', 'The folder in which it was before is not there any more, so it stays where it is.');
      if (dryRun) return UNDONE;
      const { graph } = this.#access;
      if (parentId !== before.parentId) await graph.post(`${this.#path(id)}/move`, { destinationId: before.parentId }, { ...this.#call(signal), repeatable: true });
      if (name !== before.name) await graph.patch(this.#path(id), { displayName: before.name }, this.#call(signal));
      return UNDONE;
    });
  }

  async #folder(id: string, signal: AbortSignal): Promise<Entry | undefined> {
    try {
      return await this.#access.graph.get(`${this.#path(id)}?${OPTIONS}`, { ...this.#call(signal), purpose: MAIL_PURPOSE });
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error;
      return undefined;
    }
  }

  async #child(parentId: string, name: string, signal: AbortSignal): Promise<Entry | undefined> {
    for await (const entries of pages(this.#access.graph, `${this.#path(parentId)}/childFolders?${OPTIONS}&$top=100`, { ...this.#call(signal), purpose: MAIL_PURPOSE })) {
      const found = entries.find((entry) => textOf(entry, 'displayName') === name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #path(id: string): string {
    return `${this.#access.path}/mailFolders/${encodeURIComponent(id)}`;
  }

  #call(signal: AbortSignal): { purpose: string; budget: TargetAccess['budget']; signal: AbortSignal } {
    return { purpose: WRITE_PURPOSE, budget: this.#access.budget, signal };
  }
}
