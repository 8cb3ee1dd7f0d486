import { sql } from 'kysely';
import { actorOf, appendAudit, noteActivity, type Origin } from '../accounts/index.ts';
import { HoldfastError, type Principal } from '../domain/index.ts';
import { readAccountList, type AccountLine } from './accountList.ts';
import { ACTIVATE } from './entityDeeds.ts';
import { ofTask } from './entityFilter.ts';
import { fold } from './fold.ts';
import { lockTask, taskDetails } from './taskRow.ts';
import { serviceOf, type Query, type TasksContext } from './tasksContext.ts';

const BATCH = 5_000;
/** So many lines are named of those that did nothing. */
const MOST_NAMED = 500;

/** A line that activated nothing. 'unknown': the task has no such address. */
export interface LeftLine extends AccountLine {
  readonly why: 'unknown' | 'archived' | 'deleting';
}

/** What came of a list. Each line counts once: in `activated`, `already`, `repeated` or `left`. */
export interface ListActivation {
  readonly lines: number;
  readonly activated: number;
  /** Were active before. */
  readonly already: number;
  /** Name an address that stands further up. */
  readonly repeated: number;
  readonly left: number;
  /** The first of those. */
  readonly leftLines: readonly LeftLine[];
}

/** Activates whose addresses a CSV lists: one question for each batch of lines. Errors: `tasks/invalid`, `tasks/not-found`, `tasks/conflict`. */
export async function activateListed(context: TasksContext, principal: Principal, origin: Origin, taskId: string, csv: string): Promise<ListActivation> {
  const lines = readAccountList(csv);
  // The last one of a key wins, so the first line of an address is put in last.
  const unique = [...new Map(lines.toReversed().map((line) => [line.address.toLowerCase(), line])).values()].toReversed();
  return context.database.query.transaction().execute(async (transaction) => {
    const task = await lockTask(transaction, principal, taskId);
    if (!serviceOf(context, task.service).offer.bulk.includes('csv')) throw new HoldfastError('tasks/conflict', 'input', 'Entities of this service are not activated by a list.');
    let [activated, already, left] = [0, 0, 0];
    const leftLines: LeftLine[] = [];
    for (let at = 0; at < unique.length; at += BATCH) {
      const did = await activateBatch(transaction, principal, taskId, unique.slice(at, at + BATCH));
      activated += did.activated;
      already += did.already;
      left += did.left.length;
      leftLines.push(...did.left.slice(0, MOST_NAMED - leftLines.length));
    }
    if (activated > 0) {
      const { accountId } = principal;
      const actor = actorOf(principal);
      await noteActivity(context, transaction, { accountId, kind: ACTIVATE.kind, status: 'succeeded', service: task.service, task, actor, entities: activated, details: { by: 'list', left } });
      await appendAudit(context, transaction, { accountId, kind: ACTIVATE.kind, actor, origin, details: { ...taskDetails(task), entities: activated, by: 'list' } });
    }
    return { lines: lines.length, activated, already, repeated: lines.length - unique.length, left, leftLines };
  });
}

/** The index of folded addresses finds candidates; accents are not left out in the end. */
async function activateBatch(
  transaction: Query, principal: Principal, taskId: string, lines: readonly AccountLine[],
): Promise<{ activated: number; already: number; left: LeftLine[] }> {
  const addresses = lines.map(({ address }) => address);
  const { rows: [row] } = await sql<{ activated: number; already: number; left: LeftLine[] }>`
    with given as (select * from unnest(${lines.map(({ line }) => line)}::int[], ${addresses}::text[], ${addresses.map(fold)}::text[]) as g (line, address, folded)),
    met as materialized (
      select g.line, g.address, e.id, e.state, e.gone_at, ${ACTIVATE.may} as may
      from given g left join entities e on ${ofTask(principal, taskId)} and e.address_order = g.folded and lower(e.address) = lower(g.address)),
    changed as (update entities set ${ACTIVATE.set} from met where entities.id = met.id and met.may),
    outcome as materialized (
      select line, address, coalesce(bool_or(may), false) as activated, coalesce(bool_or(state = 'active' and gone_at is null), false) as already,
        case when bool_or(gone_at is not null) then 'deleting' when bool_or(state = 'archived') then 'archived' else 'unknown' end as why
      from met group by line, address)
    select count(*) filter (where activated) as activated, count(*) filter (where already and not activated) as already,
      coalesce(json_agg(json_build_object('line', line, 'address', address, 'why', why) order by line) filter (where not activated and not already), '[]') as left
    from outcome`.execute(transaction);
  return row ?? { activated: 0, already: 0, left: [] };
}
