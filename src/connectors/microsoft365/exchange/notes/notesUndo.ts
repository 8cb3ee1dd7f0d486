import type { NotedChange, UndoResult } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { textOf, type Entry } from '../../graph/pages.ts';
import type { GraphOptions } from '../../graph/graphClient.ts';
import { left, NOTHING, orFailed, UNDONE, type PartUndo, type UndoCall, type UndoContext } from '../undo/undoResults.ts';
import { notesPlan } from './notesPlan.ts';

const PURPOSE = 'take folders of notes away (MailboxFolder.ReadWrite.All)';

/**
 * Notes come back as streams, and Microsoft Graph has nothing that takes one away or shows its content: each change is named. A folder that the restore made goes when
 * it is empty; whoever deletes one deletes what is in it.
 */
export class NotesUndo implements PartUndo {
  readonly name = notesPlan.name;
  readonly #context: UndoContext;

  constructor(context: UndoContext) {
    this.#context = context;
  }

  async undo(changes: readonly NotedChange[], call: UndoCall): Promise<readonly UndoResult[]> {
    const results: UndoResult[] = [];
    for (const change of changes) results.push(await this.#undoOne(change, call));
    return results;
  }

  async #undoOne({ note, outcome }: NotedChange, call: UndoCall): Promise<UndoResult> {
    if (note['act'] === 'folder' && outcome !== undefined) return await orFailed(call.signal, async () => await this.#remove(textOf(outcome, 'id'), call));
    if (note.isFolder === true) return left('notes-stay', 'A folder of notes keeps the name that the restore gave it, or stays: it is not known whether the restore made it. Look at it by hand.');
    return left('notes-stay', 'Microsoft Graph has no way to take notes away. Delete it by hand; what it was before is in a snapshot from before the restore, if there is one.');
  }

  async #remove(id: string, { dryRun, signal }: UndoCall): Promise<UndoResult> {
    const { graph, budget, streamImport } = this.#context.access;
    const options = { purpose: PURPOSE, budget, signal };
    const path = `${await streamImport.base(signal)}/folders/${encodeURIComponent(id)}`;
    const folder = await this.#find(path, options);
    if (folder === undefined) return NOTHING;
    if (folder['totalItemCount'] !== 0 || folder['childFolderCount'] !== 0) return left('not-empty', 'The restore made this folder, and something is in it, so it stays.');
    if (!dryRun) await graph.remove(path, options);
    return UNDONE;
  }

  async #find(path: string, options: GraphOptions): Promise<Entry | undefined> {
    try {
      return await this.#context.access.graph.get(path, options);
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
