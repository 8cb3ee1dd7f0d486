import { createHash } from 'node:crypto';
import { textOf, type Entry } from '../../graph/pages.ts';
import { canonicalJson, expandExtended, listOf } from '../items/documents.ts';
import { extendedOf, plainId } from '../restore/outlookItem.ts';

/** First words and text: what the service tells of a note besides its class, size and times. */
const [SUBJECT, TEXT] = ['String 0x0037', 'String 0x1000'];
export const SHOWN_WORDS = `$expand=${encodeURIComponent(expandExtended([SUBJECT, TEXT]))}`;

export interface NoteWords {
  /** '' where they are not told. */
  readonly first: string;
  /** Tells notes with other words or categories from each other; '' where neither is told. */
  readonly mark: string;
}

export function wordsOf(entry: Entry): NoteWords {
  const told = extendedOf(entry);
  const [first = '', text = ''] = [told.get(plainId(SUBJECT)), told.get(plainId(TEXT))];
  if (listOf(entry, 'singleValueExtendedProperties').length === 0) return { first, mark: '' };
  return { first, mark: createHash('sha256').update(canonicalJson([textOf(entry, 'type'), first, text.trimEnd(), entry['categories'] ?? []])).digest('base64url').slice(0, 22) };
}
