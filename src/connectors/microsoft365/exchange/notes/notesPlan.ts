import { idOf, textOf } from '../../graph/pages.ts';
import type { FolderedPlan } from '../items/folderedService.ts';
import { MOST_EXPORTED } from '../streams/exportItems.ts';
import { exportPath } from '../streams/exportPath.ts';
import { noteContent, noteContents, NOTES_PURPOSE } from './noteContent.ts';
import { listedNote } from './noteItem.ts';

const NAME = 'notes';
const FOLDER_CLASS = 'IPF.StickyNote';

/** Sticky notes. No resource of Graph shows them but the items of mailbox import and export (fact 53), which is for the global cloud (fact 58). */
export const notesPlan: FolderedPlan = {
  name: NAME, title: 'Notes', kind: 'note', nouns: ['note', 'notes'], requests: 0.05, isListedApart: true, isOfSomeClouds: true,
  base: exportPath,
  folders: {
    name: NAME, title: 'Notes', purpose: NOTES_PURPOSE, mode: 'delta', named: 'displayName', volatile: ['totalItemCount', 'childFolderCount', 'parentMailboxUrl'],
    start: (base) => `${base}/folders/delta`,
    keeps: (entry) => textOf(entry, 'type') === FOLDER_CLASS,
  },
  items: {
    purpose: NOTES_PURPOSE, mode: 'delta',
    keys: { folders: `${NAME}/f/`, items: `${NAME}/i/`, notices: `${NAME}/x/` },
    start: (base, id) => `${base}/folders/${encodeURIComponent(id)}/items/delta`,
    restOf: (base, id, entry) => ('changeKey' in entry && 'type' in entry ? undefined : `${base}/folders/${encodeURIComponent(id)}/items/${encodeURIComponent(idOf(entry))}`),
    listed: listedNote,
    isSame: () => false,
  },
  content: noteContent,
  together: { most: MOST_EXPORTED, contents: noteContents },
};
