import { sql, type RawBuilder } from 'kysely';
import type { EntityStatus, Licence, Viewer } from '../domain/index.ts';
import { containing } from './fold.ts';

/** Property of the directory to values, '' for: says nothing. All properties have to fit, each with any of its values. */
export type Conditions = Readonly<Record<string, readonly string[]>>;

/** What of a task's entities is asked for. Lists: any of them. */
export interface EntityFilter {
  /** Part of name or address. */
  readonly search?: string | undefined;
  readonly statuses?: readonly EntityStatus[] | undefined;
  readonly licences?: readonly Licence[] | undefined;
  readonly kinds?: readonly string[] | undefined;
  /** Ids of tags. */
  readonly tags?: readonly string[] | undefined;
  /** Protected by another task, too; or not. */
  readonly elsewhere?: boolean | undefined;
  /** With Limited Access, or without. */
  readonly limited?: boolean | undefined;
  /** What the directory says of them. */
  readonly attributes?: Conditions | undefined;
}

/** Entities that a deed is meant for: some by their ids, or all that a filter finds, but some. */
export type Selection =
  | { readonly ids: readonly string[] }
  | { readonly all: true; readonly filter?: EntityFilter | undefined; readonly except?: readonly string[] | undefined };

/** Whether another task of the account protects `e`, too. It does not depend on `e` but for its reference, so that it is asked once and not for each. */
function elsewhere({ accountId }: Viewer, taskId: string): RawBuilder<boolean> {
  return sql<boolean>`e.reference in (select o.reference from entities o join tasks ot on ot.id = o.task_id where o.account_id = ${accountId} and o.task_id <> ${taskId}
    and o.service = (select service from tasks where id = ${taskId}) and o.state in ('active', 'paused') and o.gone_at is null and ot.gone_at is null)`;
}

/** Whether `e` is of that task, and the viewer may know of it. */
export function ofTask({ accountId, services }: Viewer, taskId: string): RawBuilder<boolean> {
  const theirs = services === undefined ? sql`true` : sql`e.service = any(${[...services]}::text[])`;
  return sql<boolean>`e.task_id = ${taskId} and e.account_id = ${accountId} and ${theirs}`;
}

/** Whether the filter finds `e`, of that task. */
export function matches(viewer: Viewer, taskId: string, filter: EntityFilter): RawBuilder<boolean> {
  const { search, statuses, licences, kinds, tags, limited, attributes = {} } = filter;
  const conditions = [
    ...(search === undefined ? [] : [sql`(e.name_order like ${containing(search)} or e.address_order like ${containing(search)})`]),
    ...anyOf(sql`e.status`, statuses), ...anyOf(sql`e.licence`, licences), ...anyOf(sql`e.kind`, kinds),
    ...(tags === undefined ? [] : [sql`exists (select 1 from entity_tags et where et.entity_id = e.id and et.tag_id = any(${[...tags]}::text[]))`]),
    ...(filter.elsewhere === undefined ? [] : [filter.elsewhere ? elsewhere(viewer, taskId) : sql`not ${elsewhere(viewer, taskId)}`]),
    ...(limited === undefined ? [] : [sql`e.limited = ${limited}`]),
    ...Object.entries(attributes).map(([property, values]) => sql`coalesce(e.attributes ->> ${property}, '') = any(${[...values]}::text[])`),
  ];
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

/** Whether `e` is of that task, the viewer may know of it, and it is in the selection. */
export function selected(viewer: Viewer, taskId: string, selection: Selection): RawBuilder<boolean> {
  return sql<boolean>`${ofTask(viewer, taskId)} and ${chosen(viewer, taskId, selection)}`;
}

function chosen(viewer: Viewer, taskId: string, selection: Selection): RawBuilder<boolean> {
  if ('ids' in selection) return sql<boolean>`e.id = any(${[...selection.ids]}::text[])`;
  const { filter = {}, except = [] } = selection;
  const found = matches(viewer, taskId, filter);
  return except.length === 0 ? found : sql<boolean>`(${found} and e.id <> all(${[...except]}::text[]))`;
}

function anyOf(column: RawBuilder<unknown>, values: readonly string[] | undefined): RawBuilder<unknown>[] {
  return values === undefined ? [] : [sql`${column} = any(${[...values]}::text[])`];
}
