import type { SourceItem } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { changeOf, objectOf, timeOf } from '../items/documents.ts';

/** The fields of a task's row; those that are empty are left out. */
export interface TaskMeta {
  readonly status?: string;
  readonly due?: string;
}

/** A task as a delta shows it. Tasks have no change key, but an entity tag that serves as one. */
export function listedTask(entry: Entry, listId: string): SourceItem {
  const parent = `tasks/f/${listId}`;
  const [status, due] = [textOf(entry, 'status'), textOf(objectOf(entry, 'dueDateTime'), 'dateTime')];
  const meta: TaskMeta = { ...(status === '' ? {} : { status }), ...(due === '' ? {} : { due }) };
  return {
    key: `tasks/i/${idOf(entry)}`, parent, name: textOf(entry, 'title'), kind: 'task', size: 0, modified: timeOf(textOf(entry, 'lastModifiedDateTime')),
    change: changeOf(textOf(entry, '@odata.etag'), textOf(entry, 'lastModifiedDateTime'), parent), meta: JSON.stringify(meta),
  };
}

/** The row of a task whose document was read; the change key stays that of the list. */
export function taskItem(listed: SourceItem, document: Entry): SourceItem {
  const { name, meta, modified } = listedTask(document, '');
  const { key, parent, kind, size, change } = listed;
  return { key, parent, name, kind, size, modified, change, meta };
}
