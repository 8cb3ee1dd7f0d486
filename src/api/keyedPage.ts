import { InvalidInput } from './problem.ts';

/** `rows` are one more than the page may hold, where there are more. The key of its last one leads on. */
export function listPage<Row, Item>(
  rows: readonly Row[], limit: number, present: (row: Row) => Item, keyOf: (row: Row) => readonly [string, string],
): { items: Item[]; next?: string } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { items: page.map(present), ...(rows.length > limit && last !== undefined && { next: Buffer.from(JSON.stringify(keyOf(last))).toString('base64url') }) };
}

/** Of a cursor that such a page gave; empty where there is none. Errors: `api/invalid`. */
export function readKey(cursor: string | undefined): readonly string[] {
  if (cursor === undefined) return [];
  const key = parsed(Buffer.from(cursor, 'base64url').toString('utf8'));
  if (Array.isArray(key) && key.length === 2 && key.every(isText)) return key;
  throw new InvalidInput([{ path: 'cursor', message: 'not one that a page gave' }]);
}

function isText(part: unknown): part is string {
  return typeof part === 'string' && part.length <= 1_000 && !part.includes('\0') && part.isWellFormed();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // told by the caller
  }
}
