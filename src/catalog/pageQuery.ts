import { HoldfastError } from '../domain/index.ts';
import { childrenAt } from './children.ts';
import type { Child, ChildQuery } from './children.ts';
import { itemNumber, momentOf, type Moment } from './moment.ts';
import { MAX_PAGE } from './protocol.ts';
import type { Page, PageOptions } from './protocol.ts';
import { fromBinary, isFolder } from './rowCodec.ts';
import type { SqlValue } from './rowCodec.ts';
import type { Database } from './schema.ts';

interface Cursor {
  readonly leaf: 0 | 1;
  readonly sort: SqlValue;
  /** The item's key; its number differs from one built cache to the next. */
  readonly key: string;
}

/** A page of a folder: its subfolders, then its items, each by the order asked for, ties by age in the catalog. */
export function page(db: Database, snapshot: string, parentKey: string, options: PageOptions): Page {
  const { order = 'name', direction = 'ascending', kind } = options;
  const moment = momentOf(db, snapshot);
  const parent = itemNumber(db, parentKey);
  if (parent === undefined) return { rows: [] };
  const limit = Math.max(1, Math.min(MAX_PAGE, Math.floor(options.limit)));
  const cursor = options.after === undefined ? undefined : decode(options.after, order);
  const top = order === 'modified' && direction === 'descending' ? newestUntil(db, parent, moment) : undefined;
  const found: Child[] = [];
  for (const leaf of leavesOf(kind, cursor)) {
    const wanted = limit + 1 - found.length;
    if (wanted <= 0) break;
    const after = cursor?.leaf === leaf ? { sort: cursor.sort, item: itemNumber(db, cursor.key) ?? 0 } : top;
    const query: ChildQuery = { parent, leaf, order, direction, after, limit: wanted };
    found.push(...childrenAt(db, moment, leaf === 1 ? { ...query, kind } : query));
  }
  const rows = found.slice(0, limit).map((child) => child.row);
  const last = found[limit - 1];
  return found.length > limit && last ? { rows, next: encode(last, order) } : { rows };
}

/** The place before all that the folder can show at the moment; without it a page of long ago reads past all that came since. */
function newestUntil(db: Database, parent: number, moment: Moment): ChildQuery['after'] {
  const newest = db.number('select newest from tally where parent = ? and ord <= ? order by ord desc limit 1', parent, moment.ordinal);
  return newest === undefined ? undefined : { sort: newest, item: Number.MAX_SAFE_INTEGER };
}

/** Subfolders, then items; those that the page can still show. */
function leavesOf(kind: string | undefined, cursor: Cursor | undefined): (0 | 1)[] {
  if (kind !== undefined) return kind === 'folder' ? [0] : [1];
  return cursor?.leaf === 1 ? [1] : [0, 1];
}

function encode(child: Child, order: string): string {
  const sort = child.sort instanceof Uint8Array ? fromBinary(child.sort) : child.sort;
  const parts = [order, isFolder(child.row) ? 0 : 1, sort, child.row.key];
  return Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url');
}

function decode(text: string, order: string): Cursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parts)) throw new TypeError('not a list');
    const [madeFor, leaf, sort, key] = parts as unknown[];
    if (madeFor !== order || typeof sort !== (order === 'name' ? 'string' : 'number')) throw new TypeError('order');
    if ((leaf !== 0 && leaf !== 1) || typeof key !== 'string') throw new TypeError('place');
    return { leaf, sort: typeof sort === 'string' ? Buffer.from(sort, 'latin1') : Number(sort), key };
  } catch (cause) {
    const message = 'This place in the list is not valid for this order; start again from the first page.';
    throw new HoldfastError('catalog/bad-cursor', 'input', message, { cause });
  }
}
