import { idOf } from '../../graph/pages.ts';
import type { FolderedPlan } from '../items/folderedService.ts';
import { TASKS_PURPOSE, taskContent } from './taskContent.ts';
import { listedTask } from './taskItem.ts';

const NAME = 'tasks';

/** Microsoft To Do: lists with their tasks; what Outlook calls tasks is the same. */
export const tasksPlan: FolderedPlan = {
  name: NAME, title: 'Tasks', kind: 'task', nouns: ['task', 'tasks'],
  folders: {
    name: NAME, title: 'Tasks', purpose: TASKS_PURPOSE, mode: 'delta', named: 'displayName', volatile: [],
    start: (base) => `${base}/todo/lists/delta`,
  },
  items: {
    purpose: TASKS_PURPOSE, mode: 'delta',
    keys: { folders: `${NAME}/f/`, items: `${NAME}/i/`, notices: `${NAME}/x/` },
    start: (base, id) => `${base}/todo/lists/${encodeURIComponent(id)}/tasks/delta`,
    restOf: (base, id, entry) => ('title' in entry && '@odata.etag' in entry ? undefined : `${base}/todo/lists/${encodeURIComponent(id)}/tasks/${encodeURIComponent(idOf(entry))}`),
    listed: listedTask,
    isSame: () => false,
  },
  content: taskContent,
};
