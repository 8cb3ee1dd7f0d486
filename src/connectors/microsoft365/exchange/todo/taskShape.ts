import type { Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import { attachmentMark } from '../restore/keptAttachments.ts';
import { recurrenceOf } from '../restore/recurrence.ts';
import { pick } from '../restore/shapes.ts';

/** The fields of a task that can be set as they are. */
export const TASK_FIELDS: readonly string[] = [
  'title', 'body', 'status', 'importance', 'isReminderOn', 'reminderDateTime', 'startDateTime', 'dueDateTime', 'completedDateTime', 'categories',
];
export const STEP_FIELDS: readonly string[] = ['displayName', 'isChecked'];
export const LINK_FIELDS: readonly string[] = ['webUrl', 'applicationName', 'displayName', 'externalId'];

/** All of a task that can be set. */
export function taskShape(document: Entry): Entry {
  const { content } = objectOf(document, 'body');
  const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort((a, b) => (a < b ? -1 : 1));
  return {
    ...pick(document, TASK_FIELDS), body: typeof content === 'string' ? content.replaceAll('\r\n', '\n').trimEnd() : '', recurrence: recurrenceOf(document),
    steps: sorted(partsOf(document, 'checklistItems', STEP_FIELDS).map((step) => JSON.stringify(step))), links: sorted(partsOf(document, 'linkedResources', LINK_FIELDS).map((link) => JSON.stringify(link))),
    attachments: sorted(listOf(document, 'attachments').map(attachmentMark)),
  };
}

/** What belongs to a task, with the fields alone that can be set. */
export function partsOf(document: Entry, list: string, fields: readonly string[]): readonly Entry[] {
  return listOf(document, list).map((part) => pick(part, fields));
}
