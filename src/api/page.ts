import { InvalidInput } from './problem.ts';

/** `rows` are one more than the page may hold, where there are more. */
export function pageFrom<Row, Item>(
  rows: readonly Row[], limit: number, present: (row: Row) => Item, keyOf: (row: Row) => string,
): { items: Item[]; next?: string } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(present), ...(rows.length > limit && last !== undefined && { next: Buffer.from(keyOf(last)).toString('base64url') }) };
}

/** Cursors are opaque to callers: what is in them may change. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (/^[\w-]{1,64}$/.test(text)) return text;
  throw new InvalidInput([{ path: 'cursor', message: 'not one that a page gave' }]);
}
