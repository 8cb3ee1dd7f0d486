import type { Searchable } from '../connectors/contract.ts';
import type { EntityHit } from '../recovery/index.ts';
import { plural, printable, timeText } from './formatText.ts';
import { itemDocument, type ItemDocument } from './itemDocument.ts';

/** A hit as programs read it; see docs/guides/command-line.md. Fields are only ever added. */
export interface HitDocument extends ItemDocument {
  /** Id of the entity. */
  readonly entity: string;
  /** '' where the item has none. */
  readonly from: string;
  readonly to: string;
  /** The first and the last kept snapshot that show it so. */
  readonly firstSnapshot: string;
  readonly lastSnapshot: string;
  /** For --continue. */
  readonly cursor: string;
}

export function hitDocument(hit: EntityHit, search: Searchable): HitDocument {
  const { author, recipients } = search.fields(hit.row);
  return {
    ...itemDocument({ row: hit.row, path: pathOf(hit) }),
    entity: hit.entity.id, from: author, to: recipients, firstSnapshot: hit.first, lastSnapshot: hit.last, cursor: hit.cursor,
  };
}

/** Two lines: when, from whom and what; where, and in which snapshots. */
export function hitLines(hit: EntityHit, search: Searchable, { withEntity }: { withEntity: boolean }): string[] {
  const { author } = search.fields(hit.row);
  const from = author === '' ? '' : `${printable(author)}  `;
  const entity = withEntity ? `${printable(hit.entity.id)}  ` : '';
  const range = hit.first === hit.last ? `snapshot ${hit.first}` : `snapshots ${hit.first} to ${hit.last}`;
  return [
    `${timeText(hit.row.modified).padEnd(20)}  ${from}${printable(hit.row.name)}  (${plural(hit.row.size, 'byte')})`,
    `  ${entity}${printable(pathOf(hit))}  ${range}`,
  ];
}

function pathOf({ path, row }: EntityHit): string {
  return [...path, row.name].join('/');
}
