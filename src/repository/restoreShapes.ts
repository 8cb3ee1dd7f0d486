import { isText, listOf, objectOf, orMissing, shaped, type Shape } from './recordShape.ts';

/** What the first record of a journal says: which restore it is of. */
export interface RestoreBegin {
  readonly madeAt: string;
  readonly service: string;
  /** What was given back: the entity's id, name and tag, and the snapshot. */
  readonly source: { readonly id: string; readonly name: string; readonly tag: string };
  readonly snapshot: string;
  /** Where it went. */
  readonly target: { readonly id: string; readonly name: string };
  readonly mode: string;
  /** The snapshot of the destination that was taken before. */
  readonly before?: string;
}

/** A record of a restore. Numbers ascend over all records; an outcome never comes in a record before that of its note. */
export interface JournalRecord {
  readonly begin?: RestoreBegin;
  readonly intends?: readonly (readonly [number: number, note: { readonly item: string }])[];
  readonly did?: readonly (readonly [number: number, outcome: Readonly<Record<string, unknown>>])[];
  /** The restore came to its end. */
  readonly ended?: true;
}

/** A record of a run that takes a restore back. */
export interface UndoRecord {
  /** Changes of which nothing is left to be taken back. */
  readonly undone: readonly number[];
  /** Nothing at all is left. */
  readonly whole?: true;
}

const isNumber: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isYes: Shape = (value) => value === true;
const isDocument: Shape = objectOf({});
const pairOf = (second: Shape): Shape => (value) => Array.isArray(value) && value.length === 2 && isNumber(value[0]) && second(value[1]);
const isBegin = objectOf({
  madeAt: isText, service: isText, source: objectOf({ id: isText, name: isText, tag: isText }), snapshot: isText, target: objectOf({ id: isText, name: isText }), mode: isText, before: orMissing(isText),
});
const isJournal = objectOf({
  begin: orMissing(isBegin), intends: orMissing(listOf(pairOf(objectOf({ item: isText })))), did: orMissing(listOf(pairOf(isDocument))), ended: orMissing(isYes),
});
const isUndo = objectOf({ undone: listOf(isNumber), whole: orMissing(isYes) });

/** Throws `repository/damaged`. */
export function journalRecord(name: string, value: unknown): JournalRecord {
  return shaped<JournalRecord>(name, value, isJournal);
}

/** Throws `repository/damaged`. */
export function undoRecord(name: string, value: unknown): UndoRecord {
  return shaped<UndoRecord>(name, value, isUndo);
}
