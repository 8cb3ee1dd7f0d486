import type { ChangeNote } from '../../../contract.ts';
import type { Entry } from '../../graph/pages.ts';
import { canonicalJson } from '../items/documents.ts';
import { pruned, stampOf } from './shapes.ts';

/** An item is about to be made, or changed where it stands (and made where that one is gone meanwhile). */
export interface ItemNote extends ChangeNote {
  /** Of the sub-service. */
  readonly part: string;
  readonly act: 'item';
  /** Id of the item that was backed up. */
  readonly source: string;
  /** Where it comes; null: into a folder that is not made yet. */
  readonly folderId: string | null;
  /** It is, or becomes, a series of events. */
  readonly series: boolean;
  /** The category that what is written gets. */
  readonly tag: string | null;
  /** It may come as a stream, upon which nothing is written until it is there. */
  readonly isStream: boolean;
  /** The item that is changed, as it was; null: one is made. */
  readonly standing: StandingNote | null;
}

interface StandingNote {
  readonly id: string;
  readonly folderId: string;
  readonly document: Entry;
  /** The text of its origin; null: it had none. */
  readonly origin: string | null;
  /** Of each field as it was and as it is wanted: what an unfinished change may show. */
  readonly marks: FieldMarks;
}

export interface ItemOutcome {
  readonly id: string;
  readonly folderId: string;
  /** Change key of the row that a backup would make of it then. */
  readonly change: string;
  readonly made: boolean;
  /** As a stream: with the people who take part, say. */
  readonly imported?: boolean;
}

export interface FolderNote extends ChangeNote {
  readonly isFolder: true;
  readonly part: string;
  readonly act: 'folder';
  readonly name: string;
  readonly parentId: string;
}

export interface FolderMendNote extends ChangeNote {
  readonly isFolder: true;
  readonly part: string;
  readonly act: 'mendFolder';
  readonly id: string;
  readonly before: Entry;
  readonly after: Entry;
}

type FieldMarks = Readonly<Record<string, readonly string[]>>;

/** Marks of the values of each field of some shapes; of a list, of each of its entries. */
export function fieldMarks(...shapes: readonly Entry[]): FieldMarks {
  const marks = new Map<string, Set<string>>();
  for (const shape of shapes) {
    for (const [name, value] of Object.entries(shape)) marks.set(name, new Set([...marks.get(name) ?? [], ...marksOf(value)]));
  }
  return Object.fromEntries([...marks].map(([name, set]) => [name, [...set]]));
}

/** Whether every field of a shape has values alone that are marked. */
export function hasMarkedFields(shape: Entry, marks: FieldMarks): boolean {
  return Object.entries(shape).every(([name, value]) => marksOf(value).every((mark) => marks[name]?.includes(mark) === true));
}

function marksOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(marksOf);
  const plain = pruned(value);
  return plain === undefined ? [stampOf({})] : [stampOf({ value: canonicalJson(plain) })];
}
