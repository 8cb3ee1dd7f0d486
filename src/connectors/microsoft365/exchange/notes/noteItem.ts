import type { SourceItem } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { canonicalJson, changeOf, timeOf } from '../items/documents.ts';
import { parseObject } from '../items/folders.ts';
import type { NoteWords } from './noteWords.ts';

/** The fields of a note's row. */
export interface NoteMeta {
  readonly type?: string;
  readonly categories?: readonly string[];
  readonly created?: string;
  /** Of its words and categories; absent where the service did not tell them. */
  readonly words?: string;
}

/** An item of mailbox import and export as a delta shows it: class, size, categories and times, but no words of it. The row keeps what is told. */
export function listedNote(entry: Entry, folderId: string): SourceItem {
  const parent = `notes/f/${folderId}`;
  const created = textOf(entry, 'createdDateTime');
  const { type, categories, createdDateTime } = entry;
  return {
    key: `notes/i/${idOf(entry)}`, parent, name: `Note of ${created.slice(0, 10)}`, kind: 'note', size: 0, modified: timeOf(textOf(entry, 'lastModifiedDateTime')),
    change: changeOf(textOf(entry, 'changeKey'), textOf(entry, 'lastModifiedDateTime'), parent), meta: canonicalJson({ type, categories, created: createdDateTime }),
  };
}

/** The same with what is known of its words. */
export function withWords(listed: SourceItem, words: NoteWords | undefined): SourceItem {
  const { key, parent, name, kind, size, modified, change, meta } = listed;
  const { first = '', mark = '' } = words ?? {};
  return { key, parent, name: first === '' ? name : first, kind, size, modified, change, meta: mark === '' ? meta : canonicalJson({ ...parseObject(meta), words: mark }) };
}
