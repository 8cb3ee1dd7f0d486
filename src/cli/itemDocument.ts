import type { ItemRow } from '../domain/index.ts';
import type { Placed } from '../recovery/index.ts';
import { printable, timeText } from './formatText.ts';

/** An item as programs read it; see docs/guides/command-line.md. Fields are only ever added. */
export interface ItemDocument {
  /** Stable for as long as the source calls it the same thing; unique within its entity. */
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly kind: string;
  readonly size: number;
  /** ISO 8601, UTC. */
  readonly modified: string | null;
}

export function itemDocument({ row, path }: Placed): ItemDocument {
  const { name, kind, size } = row;
  return { id: Buffer.from(row.key, 'latin1').toString('base64url'), path, name, kind, size, modified: modifiedOf(row) };
}

function modifiedOf({ modified }: ItemRow): string | null {
  if (modified === null) return null;
  const date = new Date(modified);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** '     1,234  2026-11-23T10:00:05Z  path', folders with a '/' at the end, what is not stored whole with its state. */
export function itemLine({ row, path }: Placed): string {
  const folder = row.kind === 'folder';
  const size = folder ? '-' : String(row.size);
  const state = row.outcome === '' ? '' : `  (${(JSON.parse(row.outcome) as { state: string }).state})`;
  return `${size.padStart(13)}  ${timeText(row.modified).padEnd(20)}  ${printable(path)}${folder ? '/' : ''}${state}`;
}
