import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { idOf } from '../../graph/pages.ts';
import { listOf, readDocument } from '../items/documents.ts';
import type { ContentAccess } from '../items/folderedService.ts';
import { idBehind } from '../items/itemSource.ts';
import { jsonContent } from '../items/jsonContent.ts';
import { taskItem } from './taskItem.ts';

export const TASKS_PURPOSE = 'read tasks (Tasks.Read.All)';

/** A task with all its properties, steps, linked resources and attachments (fact 66). */
export async function taskContent({ access, base }: ContentAccess, listed: SourceItem, context: FetchContext): Promise<Fetched> {
  const { graph, budget } = access;
  const list = encodeURIComponent(idBehind('tasks/f/', listed.parent));
  const path = `${base}/todo/lists/${list}/tasks/${encodeURIComponent(idBehind('tasks/i/', listed.key))}`;
  const task = await readDocument(graph, `${path}?$expand=checklistItems,linkedResources,attachments`, { purpose: TASKS_PURPOSE, budget, signal: context.signal });
  const attachments = listOf(task, 'attachments').map((entry) => ({ entry, path: `${path}/attachments/${encodeURIComponent(idOf(entry))}/$value` }));
  return await jsonContent(taskItem(listed, task), task, [{ name: 'attachments', entries: attachments }], { access, purpose: TASKS_PURPOSE, context });
}
