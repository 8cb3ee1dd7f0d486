/**
 * What a word is, for what is indexed and for what is asked, see docs/search.md. SQLite's tokenizer `ascii` only splits
 * at spaces what comes from here: its `unicode61` knows the capitals of Unicode 6.1 alone, tears words of Indic scripts apart
 * at their vowel signs, and takes a sentence of a script without spaces for one word (decision 0016).
 */

/** Characters of a word that count; a longer one is known by its beginning. */
const LONGEST_WORD = 64;

// oxlint-disable-next-line no-control-regex -- these are all of ASCII
const ASCII = /^[\u0000-\u007f]*$/;
const LONG_ASCII_WORD = /[A-Za-z0-9]{65}/;
/** Accents, Hebrew points, Arabic vowel signs and the mark that only stretches a word. Vowel signs of other scripts stay. */
const MARKS = /\u0640|[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]/g;
/** Soft hyphens, joiners and marks of direction stand inside of words. */
const INVISIBLE = /[\p{Cf}]/gu;
const ZERO_WIDTH_SPACE = /\u200b/g;
const NOT_OF_WORDS = /[^\p{L}\p{M}\p{N}\p{Co}]+/gu;
/** Scripts that put no spaces between words, and Hangul, whose words carry endings. */
const UNSPACED_CLASS = ['Han', 'Hira', 'Kana', 'Bopo', 'Hang', 'Thai', 'Laoo', 'Khmr', 'Mymr'].map((script) => `\\p{scx=${script}}`).join('');
const UNSPACED_RUN = new RegExp(`[${UNSPACED_CLASS}]+`, 'gu');
const UNSPACED_START = new RegExp(`^[${UNSPACED_CLASS}]`, 'u');
const LONG_WORD = new RegExp(`([^ ]{${LONGEST_WORD}})[^ ]+`, 'gu');

/** Text as the index is given it: words in their common form, separated by spaces. */
export function indexedText(text: string): string {
  // The tokenizer folds and splits ASCII by the same rules.
  if (ASCII.test(text) && !LONG_ASCII_WORD.test(text)) return text;
  return fold(text).replace(UNSPACED_RUN, (run) => ` ${pairs(run)} `).replace(LONG_WORD, '$1');
}

/** A phrase as the index is asked for it. */
export interface PhraseWords {
  readonly words: readonly string[];
  /** The last word is the beginning of one. */
  readonly prefix: boolean;
}

/**
 * The words of what a person wrote between two spaces or quotes, in their order; none where it has no letter or digit. `prefix`: it ended
 * with an asterisk.
 */
export function phraseOf(text: string, prefix: boolean): PhraseWords {
  const words = fold(text).replace(UNSPACED_RUN, (run) => ` ${pairs(run)} `).replace(LONG_WORD, '$1').split(' ').filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  if (!UNSPACED_START.test(last)) return { words, prefix: prefix && Array.from(last).length < LONGEST_WORD };
  // The last character of a run stands alone too: asked for at the end, it may as well be the beginning of a pair.
  if (words.length > 1 && UNSPACED_START.test(words.at(-2) ?? '') && !endsAlone(text)) return { words: words.slice(0, -1), prefix: false };
  return { words, prefix: true };
}

/** Whether the last run of an unspaced script is a single character. */
function endsAlone(text: string): boolean {
  const runs = fold(text).match(UNSPACED_RUN) ?? [];
  return Array.from(runs.at(-1) ?? '').length === 1;
}

function fold(text: string): string {
  const one = text.toWellFormed().replace(ZERO_WIDTH_SPACE, ' ').normalize('NFKC').replace(INVISIBLE, '');
  // Up first: that makes one of ß and ss, and of the two small sigmas.
  const lower = one.toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return lower.normalize('NFD').replace(MARKS, '').normalize('NFC').replace(NOT_OF_WORDS, ' ');
}

/** 'abc' → 'ab bc c': overlapping pairs, and the last character alone, so that each character begins a word. */
function pairs(run: string): string {
  const characters = Array.from(run);
  return characters.map((character, i) => character + (characters[i + 1] ?? '')).join(' ');
}
