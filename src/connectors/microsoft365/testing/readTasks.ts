import { createHash } from 'node:crypto';
import { all, type Document } from './readMailbox.ts';
import { put, type ShownItem } from './shownItems.ts';
import type { TestTenant } from './testTenant.ts';

/** All tasks of a mailbox with steps, links and attachments, read over Graph by nothing of the product. The key is the list and the title. */
export async function readTasks(tenant: TestTenant, address = tenant.address): Promise<Map<string, ShownItem>> {
  const tasks = new Map<string, ShownItem>();
  for (const { id, displayName: path } of await all(tenant, '/todo/lists?$top=100', address)) {
    for (const task of await all(tenant, `/todo/lists/${id}/tasks?$top=100&$expand=checklistItems,linkedResources,attachments`, address)) {
      const attachments: unknown[] = [];
      for (const { id: attachment, name, contentType } of task['attachments'] as Document[]) {
        const bytes = await tenant.bytes('GET', `/todo/lists/${id}/tasks/${task['id']}/attachments/${attachment}/$value`, { address });
        attachments.push({ name, contentType, sha256: createHash('sha256').update(bytes ?? '').digest('hex') });
      }
      // Ids and times of parts are of the service.
      const checklistItems = (task['checklistItems'] as Document[]).map(({ displayName, isChecked }) => ({ displayName, isChecked }));
      const linkedResources = (task['linkedResources'] as Document[]).map(({ id: _id, ...link }) => link);
      put(tasks, `${path} ${task['title']}`, { path, fields: { ...task, list: id, checklistItems, linkedResources, attachments } });
    }
  }
  return tasks;
}
