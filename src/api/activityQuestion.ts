import type { ActivityFilter, AuditFilter } from '../accounts/index.ts';
import type { z } from 'zod';
import { ACTIVITY_STATUSES } from '../domain/index.ts';
import type { ActivityQuestion, AuditQuestion } from './contract/index.ts';
import { InvalidInput } from './problem.ts';

/** What is asked of the activities, as accounts take it. */
export function activityFilter({ kind, service, status, task, item, from, to, search }: z.infer<typeof ActivityQuestion>): ActivityFilter {
  const statuses = wordsOf(status);
  return {
    kinds: wordsOf(kind), services: wordsOf(service), statuses: statuses && ACTIVITY_STATUSES.filter((one) => statuses.includes(one)),
    taskId: task, entityId: item, from: dateOf(from), to: dateOf(to), text: search,
  };
}

/** The same of the audit log. */
export function auditFilter({ kind, service, status, task, performedBy, from, to, search }: z.infer<typeof AuditQuestion>): AuditFilter {
  return { kinds: wordsOf(kind), services: wordsOf(service), status, task, performedBy, from: dateOf(from), to: dateOf(to), text: search };
}

/** The filter of a plain route's address. Errors: `api/invalid`. */
export function questionOf<T>(schema: z.ZodType<T>, { searchParams }: URL): T {
  const { data, error } = schema.safeParse(Object.fromEntries(searchParams));
  if (data !== undefined) return data;
  throw new InvalidInput((error?.issues ?? []).map(({ path, message }) => ({ path: path.join('.'), message })));
}

function wordsOf(text: string | undefined): string[] | undefined {
  return text?.split(',');
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}
