import { activityBatches } from '../../accounts/index.ts';
import { activityFilter, questionOf } from '../activityQuestion.ts';
import { ActivityQuestion } from '../contract/index.ts';
import { csvResponse } from '../csv.ts';
import { activityDocument } from '../present.ts';
import type { PlainCall } from './plainCall.ts';

const HEAD = [
  'Activity', 'Started (UTC)', 'Ended (UTC)', 'Seconds', 'Service', 'Sub-service', 'Status', 'Task', 'Item', 'Performed by', 'Stored bytes', 'Entities', 'Summary', 'Details',
];

/** The account's activities as CSV: read and sent batch by batch, since what runs still changes. */
export async function activityFile({ url, context, caller }: PlainCall): Promise<Response> {
  const filter = activityFilter(questionOf(ActivityQuestion, url));
  return csvResponse('activities.csv', HEAD, activityBatches(context.services.accounts, caller(), filter), (row) => cells(activityDocument(row)));
}

function cells(activity: ReturnType<typeof activityDocument>): string[] {
  const { kind, startedAt, endedAt, seconds, service, subService, status, task, item, performedBy, storedBytes, entities, summary, details } = activity;
  const told = Object.entries(details).map(([name, value]) => `${name}: ${value}`).join('; ');
  return [
    kind, startedAt, endedAt ?? '', textOf(seconds), service ?? '', subService ?? '', status, task?.name ?? '', item?.name ?? '', performedBy, textOf(storedBytes), textOf(entities),
    summary ?? '', told,
  ];
}

function textOf(number: number | undefined): string {
  return number === undefined ? '' : String(number);
}
