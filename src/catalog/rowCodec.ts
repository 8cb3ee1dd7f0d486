import type { ItemRow } from '../domain/index.ts';
import { HoldfastError } from '../domain/index.ts';
import { damagedError } from './failures.ts';

export type SqlValue = null | number | bigint | string | Uint8Array;

/** Sorts before any time that a Date can hold; stands for "no time". */
export const NO_TIME = -1e16;
const SORT_BYTES = 255;
// oxlint-disable-next-line no-control-regex -- the bytes of a BinaryString are control characters too
const NOT_BINARY = /[^\u0000-\u00ff]/;
const PLAIN = /^[ -~]*$/;
const ACCENTS = /[\u0300-\u036f]/g;

/** Expects the tables as `v` (ver) and `i` (its item), and what gives the parent's key. */
export function rowColumns(parentKey: string): string {
  return `i.key, ${parentKey}, v.name, v.kind, v.size, v.modified, v.change, v.meta, v.outcome, v.content`;
}

/** Where in {@link rowColumns} the parent's key is. */
export const PARENT = 1;

/** Expects the tables as `v` (ver), `i` (its item) and `p` (its parent's item). */
export const ROW_COLUMNS = rowColumns('p.key');
export const ROW_WIDTH = 10;

/** Bytes, because SQLite's text ends at a NUL for some of its functions and has no order of bytes beyond ASCII. */
export function binary(value: string): Uint8Array {
  if (NOT_BINARY.test(value)) throw badRow('A key or content of the catalog must carry one byte in each character.');
  return Buffer.from(value, 'latin1');
}

export function fromBinary(value: unknown): string {
  if (!(value instanceof Uint8Array)) throw damagedError();
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

/** Text where UTF-8 can hold it; UTF-16 bytes where it cannot (lone surrogates, NUL). */
export function storedText(value: string): string | Uint8Array {
  return PLAIN.test(value) || (value.isWellFormed() && !value.includes('\0')) ? value : Buffer.from(value, 'utf16le');
}

/** What {@link storedText} stored. */
export function fromText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) throw damagedError();
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf16le');
}

function fromNumber(value: unknown): number {
  if (typeof value !== 'number') throw damagedError();
  return value;
}

/** Order of names for people: letters of either case and with or without accents stand together. At most 255 bytes. */
export function sortKey(name: string): Uint8Array {
  const folded = PLAIN.test(name) ? name.toLowerCase() : foldAccents(name).toLowerCase();
  const bytes = Buffer.from(folded, 'utf8');
  return bytes.length > SORT_BYTES ? bytes.subarray(0, SORT_BYTES) : bytes;
}

function foldAccents(name: string): string {
  return name.toWellFormed().normalize('NFKD').replace(ACCENTS, '');
}

export function isFolder(row: ItemRow): boolean {
  return row.kind === 'folder';
}

/** Values in the order leaf, sort, name, kind, size, modified, change, meta, outcome, content. */
export function rowValues(row: ItemRow): SqlValue[] {
  if (!Number.isSafeInteger(row.size) || row.size < 0) throw badRow('The size of an item must be a whole number.');
  if (row.modified !== null && !Number.isFinite(row.modified)) throw badRow('The time of an item must be a number.');
  return [
    isFolder(row) ? 0 : 1,
    sortKey(row.name),
    storedText(row.name),
    storedText(row.kind),
    row.size,
    row.modified ?? NO_TIME,
    binary(row.change),
    storedText(row.meta),
    storedText(row.outcome),
    binary(row.content),
  ];
}

/** Reads what {@link ROW_COLUMNS} selected, from column `at` on. */
export function readRow(columns: readonly unknown[], at = 0): ItemRow {
  const modified = fromNumber(columns[at + 5]);
  return {
    key: fromBinary(columns[at]),
    parent: fromBinary(columns[at + 1]),
    name: fromText(columns[at + 2]),
    kind: fromText(columns[at + 3]),
    size: fromNumber(columns[at + 4]),
    modified: modified === NO_TIME ? null : modified,
    change: fromBinary(columns[at + 6]),
    meta: fromText(columns[at + 7]),
    outcome: fromText(columns[at + 8]),
    content: fromBinary(columns[at + 9]),
  };
}

/** Whether all but the source's change key and where the row hangs is as before. */
function sameThing(a: ItemRow, b: ItemRow): boolean {
  return (
    a.kind === b.kind &&
    a.size === b.size &&
    a.modified === b.modified &&
    a.meta === b.meta &&
    a.outcome === b.outcome &&
    a.content === b.content
  );
}

export function sameRow(a: ItemRow, b: ItemRow): boolean {
  return a.name === b.name && a.parent === b.parent && a.change === b.change && sameThing(a, b);
}

export function isMove(before: ItemRow, after: ItemRow): boolean {
  return (before.parent !== after.parent || before.name !== after.name) && sameThing(before, after);
}

export function badRow(message: string): HoldfastError {
  return new HoldfastError('catalog/bad-row', 'never', message);
}
