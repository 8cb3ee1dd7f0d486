import { HoldfastError } from '../domain/index.ts';
import type { SearchQuery } from './searchProtocol.ts';
import { phraseOf } from './searchWords.ts';
import type { PhraseWords } from './searchWords.ts';

const MOST_WORDS = 256;
const MOST_LENGTH = 4096;
const QUOTES = /[“”„«»]/g;
const FIELDS = { words: '- place', name: 'name', author: 'authors', recipient: 'recipients' } as const;
/** Every document has it in the column that a person's words never reach. */
const ANY = 'place : "all"';

export interface ParsedWords {
  readonly wanted: readonly PhraseWords[];
  readonly excluded: readonly PhraseWords[];
}

/** Reads words, "phrases", beginnings* and -excluded ones. Whatever is written is read as one of them. */
export function parseWords(text: string): ParsedWords {
  const wanted: PhraseWords[] = [];
  const excluded: PhraseWords[] = [];
  // A minus in front, then quoted text (to the end where the quote is not closed) or text up to a space or quote, then an asterisk.
  for (const [, minus, quoted, plain = ''] of text.replace(QUOTES, '"').matchAll(/(-?)(?:"([^"]*)(?:"|$)|([^\s"]+))/g)) {
    const end = (quoted ?? plain).trimEnd();
    const phrase = phraseOf(end.replace(/\*+$/, ''), end.endsWith('*'));
    if (phrase.words.length > 0) (minus === '-' ? excluded : wanted).push(phrase);
  }
  return { wanted, excluded };
}

/**
 * The query in SQLite's language. Only words in quotes and names of columns get into it, so that nothing that a person writes
 * means anything there. `folders` are numbers of the folders to look in; undefined: everywhere.
 */
export function matchOf(query: SearchQuery, folders: readonly number[] | undefined): string {
  const wanted: string[] = [];
  const excluded: string[] = [];
  let words = 0;
  for (const [field, column] of Object.entries(FIELDS) as [keyof typeof FIELDS, string][]) {
    const text = query[field];
    if (text === undefined) continue;
    if (text.length > MOST_LENGTH) throw tooLong();
    const parsed = parseWords(text);
    if (parsed.wanted.length + parsed.excluded.length === 0) throw noWords(text);
    for (const phrase of parsed.wanted) wanted.push(`${column} : ${quoted(phrase)}`);
    for (const phrase of parsed.excluded) excluded.push(`${column} : ${quoted(phrase)}`);
    words += [...parsed.wanted, ...parsed.excluded].reduce((sum, phrase) => sum + phrase.words.length, 0);
  }
  if (words > MOST_WORDS) throw tooLong();
  if (folders) wanted.push(`place : (${folders.map((folder) => `"${folderWord(folder)}"`).join(' OR ')})`);
  const all = wanted.length === 0 ? ANY : wanted.map((part) => `(${part})`).join(' AND ');
  return excluded.length === 0 ? all : `(${all}) NOT (${excluded.map((part) => `(${part})`).join(' OR ')})`;
}

/** How the folder that holds a document is written in its column `place`. */
export function folderWord(item: number): string {
  return `in${item}`;
}

/** What the column `place` of a document says. */
export function placeWords(parent: number): string {
  return `all ${folderWord(parent)}`;
}

function quoted({ words, prefix }: PhraseWords): string {
  return `"${words.join(' ')}"${prefix ? ' *' : ''}`;
}

function noWords(text: string): HoldfastError {
  const message = `There is no letter or digit to search for in "${text}". Give at least one word.`;
  return new HoldfastError('search/no-words', 'input', message, { data: { text } });
}

function tooLong(): HoldfastError {
  return new HoldfastError('search/too-long', 'input', `A search takes at most ${MOST_WORDS} words. Leave some out.`);
}
