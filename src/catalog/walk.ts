import type { ItemRow } from '../domain/index.ts';
import { childrenAt } from './children.ts';
import { itemNumber, momentOf } from './moment.ts';
import type { Moment } from './moment.ts';
import type { WalkPage, WalkState, WalkStep } from './protocol.ts';
import type { SqlValue } from './rowCodec.ts';
import type { Database } from './schema.ts';

/**
 * A part of a walk over all that lies below a folder: each folder before what it holds, a folder's items before its
 * subfolders. The state is as long as the tree is deep, so a walk needs no memory in the worker between its parts.
 */
export function walk(db: Database, snapshot: string, from: string | WalkState, limit: number): WalkPage {
  const moment = momentOf(db, snapshot);
  const stack: WalkStep[] = typeof from === 'string' ? start(db, from) : [...from];
  const rows: ItemRow[] = [];
  while (rows.length < limit) {
    const step = stack.pop();
    if (!step) return { rows };
    if (step.leaf === 1) stack.push(items(db, moment, step, limit - rows.length, rows));
    else enter(db, moment, step, stack, rows);
  }
  return { rows, next: stack };
}

function start(db: Database, key: string): WalkStep[] {
  const parent = itemNumber(db, key);
  return parent === undefined ? [] : [{ parent, leaf: 1 }];
}

function items(db: Database, moment: Moment, step: WalkStep, wanted: number, rows: ItemRow[]): WalkStep {
  const found = childrenAt(db, moment, { ...question(step), limit: wanted });
  for (const child of found) rows.push(child.row);
  const last = found.at(-1);
  if (found.length < wanted || !last) return { parent: step.parent, leaf: 0 };
  return { ...step, sort: last.sort as Uint8Array, item: last.item };
}

/** Goes down into the step's next subfolder, leaving on the stack how to go on after it. */
function enter(db: Database, moment: Moment, step: WalkStep, stack: WalkStep[], rows: ItemRow[]): void {
  const [folder] = childrenAt(db, moment, { ...question(step), limit: 1 });
  if (!folder) return;
  stack.push({ ...step, sort: folder.sort as Uint8Array, item: folder.item });
  // A folder that lies in itself can only be met here, below the folder that the walk began with.
  if (stack.some((above) => above.parent === folder.item)) return;
  rows.push(folder.row);
  stack.push({ parent: folder.item, leaf: 1 });
}

function question(step: WalkStep) {
  const { parent, leaf } = step;
  const sort: SqlValue | undefined = step.sort;
  const after = sort === undefined || step.item === undefined ? undefined : { sort, item: step.item };
  return { parent, leaf, order: 'name', direction: 'ascending', after } as const;
}
