import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { matchOf } from './searchQuery.ts';
import { indexedText } from './searchWords.ts';

interface Case {
  readonly text: string;
  readonly query: string;
  readonly found: boolean;
}

const finds = (text: string, ...queries: readonly string[]): Case[] => queries.map((query) => ({ text, query, found: true }));
const misses = (text: string, ...queries: readonly string[]): Case[] => queries.map((query) => ({ text, query, found: false }));

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'addresses': [
    ...finds('write to alice@example.test today', 'alice@example.test', 'alice', 'alice@example'), ...finds('bob.o-neil+x@sub.example.test', 'bob.o-neil+x@sub.example.test'),
    ...misses('example.test alice', 'alice@example.test'),
  ],
  'hyphens': [
    ...finds('an e-mail of the 2026-11-27', 'e-mail', 'mail', '2026-11-27'), ...finds('a long\u2011term plan', 'long-term'), ...finds('inter\u00adnational', 'international'),
  ],
  'Chinese, Japanese, Korean': [
    ...finds('東京都の会議', '東京都の会議', '東京', '京都', '会議', '都'), ...finds('カタカナの名前', 'カナ'), ...finds('한국어를 배웁니다', '한국어', '국어'), ...misses('京の都', '京都'),
  ],
  'Thai': finds('สวัสดีครับผม', 'ครับ'),
  'Hebrew and Arabic with marks': [
    ...finds('שָׁלוֹם עוֹלָם', 'שלום'), ...finds('שלום', 'שָׁלוֹם'), ...finds('السَّلَامُ عَلَيْكُم', 'السلام'), ...finds('عليكم', 'عَلَيْكُم'), ...finds('مـرحـبـا', 'مرحبا'), ...finds('أهلا', 'اهلا'),
  ],
  'Indic': [...finds('हिन्दी में', 'हिन्दी'), ...misses('हिन्दी में', 'हन्द'), ...misses('हा नादा', 'हि')],
  'full width, half width, ligatures': [
    ...finds('ＡＢＣ商事', 'abc'), ...finds('２０２６年', '2026'), ...finds('the ﬁle', 'file'), ...finds('ｶﾞｲﾄﾞ', 'ガイド'), ...finds('ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｔｅｓｔ', 'alice@example.test'),
  ],
  'case and accents': [...finds('CAFÉ', 'cafe'), ...finds('cafe\u0301', 'café'), ...finds('Straße', 'STRASSE'), ...finds('ΟΔΟΣ', 'οδος'), ...finds('Łódź', 'łodz')],
  'emoji': [...finds('thanks😀all', 'thanks'), ...finds('thanks 😀 all', 'thanks 😀 all'), ...finds('a 👩\u200d💻 b', 'b')],
  // Adlam, Osage (both of Unicode 9) and Vithkuqi (14): capitals in the text, small letters in the query.
  'younger scripts': [...finds('\u{1e900}\u{1e901}', '\u{1e922}\u{1e923}'), ...finds('\u{104b0}\u{104b1}', '\u{104d8}\u{104d9}'), ...finds('\u{10570}\u{10571}', '\u{10597}\u{10598}')],
};

function holds(tokenizer: string, text: string, match: string): boolean {
  using db = new DatabaseSync(':memory:');
  db.exec(`create virtual table search using fts5(name, authors, recipients, text, files, place, tokenize="${tokenizer}")`);
  db.prepare('insert into search (text, place) values (?, ?)').run(text, 'all');
  return db.prepare('select 1 from search where search match ?').get(match) !== undefined;
}

/** What SQLite finds in the text as it is, each part between spaces a phrase. */
function byUnicode61({ text, query }: Case): boolean {
  return holds('unicode61 remove_diacritics 2', text, query.split(' ').map((part) => `"${part}"`).join(' AND '));
}

test('words of every script are found as they are written in mail and in questions', () => {
  for (const { text, query, found } of Object.values(CASES).flat()) {
    expect(holds('ascii', indexedText(text), matchOf({ words: query }, undefined)), `${query} in ${text}`).toBe(found);
  }
});

test('unicode61 answers as decision 0016 says', () => {
  const right = Object.entries(CASES).map(([group, cases]) => `${group}: ${cases.filter((one) => byUnicode61(one) === one.found).length} of ${cases.length}`);
  expect(right).toEqual([
    'addresses: 5 of 5', 'hyphens: 4 of 5', 'Chinese, Japanese, Korean: 2 of 9', 'Thai: 0 of 1', 'Hebrew and Arabic with marks: 0 of 6', 'Indic: 2 of 3',
    'full width, half width, ligatures: 0 of 5', 'case and accents: 4 of 5', 'emoji: 2 of 3', 'younger scripts: 0 of 3',
  ]);
});
