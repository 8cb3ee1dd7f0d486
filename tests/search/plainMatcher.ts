import type { IndexedVersion } from '../../src/catalog/index.ts';

/**
 * What docs/search.md says, written a second time and in another way: character by character over all texts, without
 * an index. Tests hold the index against it.
 */
export interface Asked {
  readonly words?: string | undefined;
  readonly name?: string | undefined;
  readonly author?: string | undefined;
  readonly recipient?: string | undefined;
  readonly folder?: string | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

/** What is searched in; `path`: names of the folders above it, each after a '/'. */
export interface PlainDocument extends Pick<IndexedVersion, 'name' | 'authors' | 'recipients' | 'text' | 'files' | 'date'> {
  readonly path?: string;
}

interface Word {
  readonly text: string;
  /** A character of a script without spaces; `joined` to the one before it. */
  readonly single: boolean;
  readonly joined: boolean;
}

const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u;
const OF_WORD = /[\p{Letter}\p{Mark}\p{Number}\p{Private_Use}]/u;
const INVISIBLE = /\p{Format}/u;

/** Marks that are put over or under letters of Latin, Greek, Cyrillic, Hebrew and Arabic. */
function isMark(code: number): boolean {
  if (code >= 0x300 && code <= 0x36f) return true;
  if (code >= 0x591 && code <= 0x5c7) return ![0x5be, 0x5c0, 0x5c3, 0x5c6].includes(code);
  if (code === 0x640 || code === 0x670) return true;
  if ((code >= 0x610 && code <= 0x61a) || (code >= 0x64b && code <= 0x65f)) return true;
  return code >= 0x6d6 && code <= 0x6ed && ![0x6dd, 0x6de, 0x6e5, 0x6e6, 0x6e9].includes(code);
}

function characters(text: string): string[] {
  const shown = [...text.toWellFormed().replaceAll('\u200b', ' ').normalize('NFKC')].filter((one) => !INVISIBLE.test(one)).join('');
  const folded = [...shown.toUpperCase().toLowerCase()].map((one) => (one === '\u03c2' ? '\u03c3' : one)).join('');
  const bare = [...folded.normalize('NFD')].filter((one) => !isMark(one.codePointAt(0) ?? 0)).join('');
  return [...bare.normalize('NFC')];
}

const known = new Map<string, Word[]>();

function wordsOf(text: string): Word[] {
  let words = known.get(text);
  if (!words) {
    words = splitWords(text);
    if (known.size > 10_000) known.clear();
    known.set(text, words);
  }
  return words;
}

function splitWords(text: string): Word[] {
  const words: Word[] = [];
  let open = '';
  let joined = false;
  const close = (): void => {
    if (open !== '') words.push({ text: [...open].slice(0, 64).join(''), single: false, joined: false });
    open = '';
  };
  for (const one of characters(text)) {
    const ofWord = OF_WORD.test(one);
    if (ofWord && UNSPACED.test(one)) {
      close();
      words.push({ text: one, single: true, joined });
      joined = true;
    } else {
      joined = false;
      if (ofWord) open += one;
      else close();
    }
  }
  close();
  return words;
}

/** Whether the words of the phrase stand in the text one after another. */
function holds(text: readonly Word[], phrase: readonly Word[], prefix: boolean): boolean {
  return text.some((_, start) => phrase.every((wanted, i) => {
    const found = text[start + i];
    if (!found || found.single !== wanted.single) return false;
    // The first character asked for may be in the middle of a run; from there on runs begin and go on alike.
    if (i > 0 && wanted.single && found.joined !== wanted.joined) return false;
    if (prefix && i === phrase.length - 1 && !wanted.single && [...wanted.text].length < 64) return found.text.startsWith(wanted.text);
    return found.text === wanted.text;
  }) && endsAlike(text, phrase, start));
}

/** Where a run of the phrase is followed by a word, the text's run must end there too. */
function endsAlike(text: readonly Word[], phrase: readonly Word[], start: number): boolean {
  return phrase.every((wanted, i) => {
    const next = phrase[i + 1];
    if (!wanted.single || !next || (next.single && next.joined)) return true;
    const after = text[start + i + 1];
    return !(after?.single === true && after.joined);
  });
}

interface Part { readonly phrase: Word[]; readonly prefix: boolean; readonly excluded: boolean }

const read = new Map<string, Part[]>();

function partsOf(query: string): Part[] {
  const parts = read.get(query) ?? readParts(query);
  if (read.size > 10_000) read.clear();
  read.set(query, parts);
  return parts;
}

/** Reads a query with a hand-written loop. */
function readParts(query: string): Part[] {
  const parts: Part[] = [];
  const text = query.replaceAll(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"');
  let at = 0;
  const isSpace = (one: string | undefined): boolean => one !== undefined && /\s/.test(one);
  while (at < text.length) {
    if (isSpace(text[at])) {
      at++;
      continue;
    }
    const excluded = text[at] === '-' && at + 1 < text.length && !isSpace(text[at + 1]);
    if (excluded) at++;
    let body: string;
    if (text[at] === '"') {
      const end = text.indexOf('"', at + 1);
      body = text.slice(at + 1, end < 0 ? text.length : end).trimEnd();
      at = end < 0 ? text.length : end + 1;
    } else {
      const from = at;
      while (at < text.length && !isSpace(text[at]) && text[at] !== '"') at++;
      body = text.slice(from, at);
    }
    const phrase = wordsOf(body.replace(/\*+$/, ''));
    if (phrase.length > 0) parts.push({ phrase, prefix: body.endsWith('*'), excluded });
  }
  return parts;
}

/** Undefined where one of the texts asked for holds no word. */
export function matches(document: PlainDocument, asked: Asked): boolean | undefined {
  const { folder, from, until, ...texts } = asked;
  const held = holdsAll(document, texts);
  if (held === undefined) return undefined;
  const second = Math.floor((document.date ?? Number.NEGATIVE_INFINITY) / 1000);
  if (from !== undefined && second < from / 1000) return false;
  if (until !== undefined && second >= until / 1000) return false;
  if (folder === undefined) return held;
  const wanted = folder.split('/').filter((name) => name !== '').map((name) => `/${name}`).join('');
  return held && `${document.path ?? ''}/`.startsWith(`${wanted}/`);
}

function holdsAll(document: PlainDocument, asked: Omit<Asked, 'folder' | 'from' | 'until'>): boolean | undefined {
  const fields = {
    name: [document.name], author: [document.authors], recipient: [document.recipients],
    words: [document.name, document.authors, document.recipients, document.text, document.files],
  };
  let all = true;
  for (const [field, query] of Object.entries(asked) as [keyof typeof fields, string | undefined][]) {
    if (query === undefined) continue;
    const parts = partsOf(query);
    if (parts.length === 0) return undefined;
    const texts = fields[field].map(wordsOf);
    for (const { phrase, prefix, excluded } of parts) {
      if (texts.some((text) => holds(text, phrase, prefix)) === excluded) all = false;
    }
  }
  return all;
}
