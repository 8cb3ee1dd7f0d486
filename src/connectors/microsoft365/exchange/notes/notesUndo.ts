import type { NotedChange, UndoResult } from '../../../contract.ts';
import { left, type PartUndo } from '../undo/undoResults.ts';
import { notesPlan } from './notesPlan.ts';

/** Notes come back as streams, and Microsoft Graph has nothing that takes one away or shows its content: each change is named. */
export class NotesUndo implements PartUndo {
  readonly name = notesPlan.name;

  undo(changes: readonly NotedChange[]): Promise<readonly UndoResult[]> {
    return Promise.resolve(changes.map(() => left('notes-stay', 'Microsoft Graph has no way to take notes away. Delete it by hand; what it was before is in a snapshot from before the restore, if there is one.')));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
