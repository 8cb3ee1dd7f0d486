import { usageBatches, type UsageRow } from '../../tasks/index.ts';
import { csvResponse } from '../csv.ts';
import type { PlainCall } from './plainCall.ts';

const HEAD = ['Service', 'Task', 'Name', 'Address', 'Status', 'Licence', 'Size in bytes', 'Last backup (UTC)'];

/** All entities of the account as CSV: read and sent batch by batch. */
export async function usageFile({ context, caller }: PlainCall): Promise<Response> {
  return csvResponse('usage.csv', HEAD, usageBatches(context.services.tasks, caller()), cells);
}

function cells({ service, task, name, address, status, licence, bytes, lastBackupAt }: UsageRow): string[] {
  return [service, task, name, address, status, licence === 'none' ? '' : licence, String(bytes), lastBackupAt?.toISOString() ?? ''];
}
