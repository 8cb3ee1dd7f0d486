import { HoldfastError } from '../domain/index.ts';
import { itemNumber, momentOf } from './moment.ts';
import { MAX_PAGE } from './protocol.ts';
import { ROW_COLUMNS, ROW_WIDTH, fromText, readRow } from './rowCodec.ts';
import type { SqlValue } from './rowCodec.ts';
import type { Database } from './schema.ts';
import { placesOf } from './searchPlace.ts';
import type { HitPage, SearchHit, SearchOptions, SearchQuery } from './searchProtocol.ts';
import { matchOf } from './searchQuery.ts';
import { STILL_THERE } from './timeTree.ts';

const MOST_FOLDERS = 2000;
const DEEPEST = 200;

/** Whether a version of the document is shown by one of the ordinals asked for. */
const shown = (doc: string): string => `(select 1 from ver indexed by ver_doc where doc = ${doc} and first <= ? and last >= ? limit 1) = 1`;

/**
 * The matching documents from the newest on: read in that order, so that a page costs the same wherever it begins. The bounds are
 * cast because numbers come to SQLite as floating point, and FTS5 then reads all there is above them.
 */
const MATCHES = `
  select rowid from search where search match ? and rowid >= cast(? as integer) and rowid <= cast(? as integer) and ${shown('search.rowid')}
  order by rowid desc limit ?`;

/** Those of them that are ahead, which are few: each is looked up. */
const AHEAD = `
  select ahead.id from doc ahead indexed by doc_ahead cross join search on search.rowid = ahead.id
  where ahead.ahead = 1 and search match ? and ahead.id >= ? and ahead.id <= ? and ${shown('ahead.id')}
  order by ahead.id desc limit ?`;

/** What each of a JSON list of documents is shown as: the row of its last version within the ordinals asked for. */
const SHOWN = `
  select ${ROW_COLUMNS}, hit.value, v.parent,
    (select min(ord) from snapshot where ord >= (select min(first) from ver indexed by ver_doc where doc = hit.value)),
    (select max(ord) from snapshot where ord <= (select max(last) from ver indexed by ver_doc where doc = hit.value))
  from json_each(?) hit cross join ver v on v.id = (
    select id from ver indexed by ver_doc where doc = hit.value and first <= ? and last >= ? order by last desc limit 1)
  cross join item i on i.id = v.item cross join item p on p.id = v.parent`;

/** Names of the folders above each of a JSON list of [document, folder, ordinal], lowest first. */
const PATHS = `
  with recursive up (doc, level, folder, ord) as (
    select value ->> 0, 0, value ->> 1, value ->> 2 from json_each(?)
    union all
    select up.doc, up.level + 1, v.parent, up.ord from up
    cross join ver v indexed by ver_item on v.item = up.folder and v.first <= up.ord and v.last >= up.ord where up.level < ${DEEPEST}
  )
  select up.doc, v.name from up
  cross join ver v indexed by ver_item on v.item = up.folder and v.first <= up.ord and v.last >= up.ord order by up.level`;

interface Found {
  readonly hit: Omit<SearchHit, 'path' | 'first' | 'last'>;
  readonly folder: number;
  readonly first: number;
  readonly last: number;
}

/** The ordinals that a version must cover one of, and the furthest place that documents have there but for those that are ahead. */
interface Within {
  readonly first: number;
  readonly last: number;
  readonly reach: number;
}

const EVER: Within = { first: STILL_THERE, last: 0, reach: Number.MAX_SAFE_INTEGER };

/** A page of what matches, newest first. */
export function search(db: Database, query: SearchQuery, options: SearchOptions): HitPage {
  const within = options.snapshot === undefined ? EVER : at(db, options.snapshot);
  const folders = query.folder === undefined ? undefined : foldersAt(db, query.folder);
  // Also checks what was written, where the folder is unknown.
  const match = matchOf(query, folders);
  if (folders?.length === 0) return { hits: [], more: false, folder: false };
  const limit = Math.max(1, Math.min(MAX_PAGE, Math.floor(options.limit)));
  const places = matching(db, match, rangeOf(query, options), within, limit + 1);
  const found = db.all(SHOWN, JSON.stringify(places.slice(0, limit)), within.first, within.last).map(readFound).toSorted((a, b) => b.hit.place - a.hit.place);
  return { hits: complete(db, found, options.snapshot === undefined ? undefined : within.first), more: places.length > limit, folder: true };
}

function at(db: Database, snapshot: string): Within {
  const { ordinal } = momentOf(db, snapshot);
  return { first: ordinal, last: ordinal, reach: db.number('select reach from snapshot where ord = ?', ordinal) ?? 0 };
}

function matching(db: Database, match: string, [lowest, highest]: readonly [number, number], within: Within, limit: number): number[] {
  const { first, last, reach } = within;
  const ahead = highest <= reach ? [] : db.all(AHEAD, match, Math.max(lowest, reach + 1), highest, first, last, limit);
  const rest = limit - ahead.length;
  const found = rest === 0 ? [] : db.all(MATCHES, match, lowest, Math.min(highest, reach), first, last, rest);
  return [...ahead, ...found].map((columns) => columns[0] as number);
}

function rangeOf({ from, until }: SearchQuery, { after, inclusive = false }: SearchOptions): readonly [number, number] {
  const lowest = from === undefined ? 0 : placesOf(Math.ceil(from / 1000) * 1000)[0];
  const ends = [
    Number.MAX_SAFE_INTEGER,
    ...(until === undefined ? [] : [placesOf(Math.ceil(until / 1000) * 1000)[0] - 1]),
    ...(after === undefined ? [] : [inclusive ? after : after - 1]),
  ];
  return [lowest, Math.min(...ends)];
}

function readFound(columns: unknown[]): Found {
  const [place, folder, first, last] = columns.slice(ROW_WIDTH) as [number, number, number, number];
  return { hit: { place, row: readRow(columns) }, folder, first, last };
}

/** `ordinal`: where the paths are looked up; undefined: each at the last snapshot that shows it. */
function complete(db: Database, found: readonly Found[], ordinal: number | undefined): SearchHit[] {
  const paths = new Map<number, string[]>();
  const asked = JSON.stringify(found.map(({ hit, folder, last }) => [hit.place, folder, ordinal ?? last]));
  for (const [doc, name] of db.all(PATHS, asked)) {
    const above = paths.get(doc as number);
    if (above) above.unshift(fromText(name));
    else paths.set(doc as number, [fromText(name)]);
  }
  const ids = new Map(db.all('select ord, id from snapshot').map(([ord, id]) => [ord as number, String(id)]));
  return found.map(({ hit, first, last }) => ({
    ...hit, path: paths.get(hit.place) ?? [], first: ids.get(first) ?? '', last: ids.get(last) ?? '',
  }));
}

/** Numbers of the folders that ever stood at a path, and of all that ever lay below them. */
function foldersAt(db: Database, path: string): number[] {
  const top = itemNumber(db, '');
  const wanted = path.replace(/^\/+|\/+$/g, '');
  const found = top === undefined ? [] : wanted === '' ? [top] : namedBelow(db, top, wanted);
  const sql = `
    with recursive sub (item) as (
      select value from json_each(?) union select v.item from sub cross join ver v indexed by ver_folder on v.parent = sub.item where v.leaf = 0
    )
    select item from sub limit ?`;
  const all = db.all(sql, JSON.stringify(found), MOST_FOLDERS + 1).map((columns) => columns[0] as number);
  if (all.length > MOST_FOLDERS) {
    const text = `There are more than ${MOST_FOLDERS} folders below "${path}". Name one further down, or leave the folder out.`;
    throw new HoldfastError('search/too-many-folders', 'input', text, { data: { folder: path } });
  }
  return all;
}

/** A name may hold a '/' itself: every way to read the path is tried. */
function namedBelow(db: Database, top: number, path: string): number[] {
  const found = new Set<number>();
  const open: { parent: SqlValue; rest: string }[] = [{ parent: top, rest: path }];
  const seen = new Set<string>();
  for (let step = open.pop(); step; step = open.pop()) {
    const children = db.all('select distinct item, name from ver indexed by ver_folder where parent = ? and leaf = 0', step.parent);
    for (const [item, name] of children as [number, unknown][]) {
      if (name === step.rest) found.add(item);
      if (typeof name !== 'string' || !step.rest.startsWith(`${name}/`)) continue;
      const rest = step.rest.slice(name.length + 1);
      if (seen.has(`${item}/${rest}`)) continue;
      seen.add(`${item}/${rest}`);
      open.push({ parent: item, rest });
    }
  }
  return [...found];
}
