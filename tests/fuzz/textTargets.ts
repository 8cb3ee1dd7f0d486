import { DatabaseSync } from 'node:sqlite';
import { matchOf, parseWords } from '../../src/catalog/searchQuery.ts';
import { decodeText, namedCharsets } from '../../src/formats/decodeText.ts';
import { readFileText } from '../../src/formats/fileText.ts';
import { readHtmlText } from '../../src/formats/htmlText.ts';
import { MOST_TEXT } from '../../src/formats/mailText.ts';
import { readPropertyText } from '../../src/formats/propertyText.ts';
import { readText } from '../../src/formats/index.ts';
import type { FuzzTarget } from './fuzzTarget.ts';

const lines = (...all: readonly string[]): Buffer => Buffer.from(all.join('\r\n'));
const CALENDAR = [
  'BEGIN:VCALENDAR', 'SUMMARY;LANGUAGE=en:Budget\\, second', '  draft', 'ATTENDEE;CN="Meier: Ann";ROLE=CHAIR:mailto:ann@example.test',
  'ATTACH;ENCODING=BASE64;VALUE=BINARY:aWdub3JlZA==', 'FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=F6rg=', '=20Maier', 'END:VCALENDAR',
];
const HTML = '<!doctype html><meta charset="windows-1251"><style>p{}</style><p title="x">one<b>two</b> &auml;&#228;&#xe4; <img alt="three"><script>no</script><!-- no --><![CDATA[x]]><td>four</table>';
const MIXED = lines(
  'From: =?utf-8?B?w5xuw68=?= <a@example.test>, "b, c" <d@example.test>', 'Sender: x@example.test', 'To: Team: e@example.test, f@example.test;', 'Subject: =?iso-8859-1?Q?=E4?=',
  'Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: multipart/alternative; boundary="c"', '', '--c', 'Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes', '',
  'a text ', 'that flows', '--c', 'Content-Type: text/html; charset=iso-8859-1', 'Content-Transfer-Encoding: quoted-printable', '', '<p>a page =E4=', '</p>', '--c--',
  '--b', 'Content-Type: message/rfc822', '', 'From: g@example.test', 'Subject: inner', '', 'inner words',
  '--b', 'Content-Type: application/octet-stream; name="=?utf-8?Q?caf=C3=A9.ics?="', 'Content-Transfer-Encoding: base64', '', Buffer.from(CALENDAR.join('\r\n')).toString('base64'),
  '--b', "Content-Type: text/csv; charset=shift_jis", "Content-Disposition: attachment; filename*0*=utf-8''%E4; filename*1=x.csv", '', 'one;two', '--b--', '',
);
const MAIL_WORDS = [
  'Content-Type: multipart/mixed; boundary=b\r\n\r\n', 'Content-Type: message/rfc822\r\n\r\n', 'Content-Type: text/html; charset=utf-7\r\n', 'Content-Type: text/x; charset=', 'Content-Transfer-Encoding: base64\r\n',
  'Content-Transfer-Encoding: quoted-printable\r\n', 'Content-Disposition: attachment; filename=x.eml\r\n', 'To: ', '\r\n', '\r\n\r\n', '--b', '--b--', '--c', '=?utf-8?B?', '?=', '<', '>', ';', ',', '"', 'format=flowed', '=\r\n', '&#', ';base64,',
];
/** What postal-mime gives up at; decision 0015. */
const GIVES_UP = /^Maximum (MIME nesting depth|header size) of \d+ (levels|bytes) exceeded$/;
const LIMIT = 5000;

/** As the catalog has it, empty: what it does not understand it refuses. */
const index = new DatabaseSync(':memory:');
index.exec(`create virtual table search using fts5 (name, authors, recipients, text, files, place, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3 4')`);
const ask = index.prepare('select count(*) from search where search match ?');

function within(text: string, limit: number): void {
  if (text.length > limit) throw new Error(`${text.length} characters, where at most ${limit} may be`);
}

export const textTargets: readonly FuzzTarget[] = [
  {
    name: 'mail-text', samples: [MIXED, lines('From: a@example.test', 'Content-Type: text/html', '', HTML), lines('Subject: x', '', 'words')], words: MAIL_WORDS,
    run: async (input) => {
      try {
        const { authors, recipients, text, files } = await readText('mail', input, { cut: input.length % 2 === 0 });
        within(text, MOST_TEXT);
        for (const field of [authors, recipients, files]) within(field, 64 * 1024);
      } catch (error) {
        if (!(error instanceof Error) || !GIVES_UP.test(error.message)) throw error;
      }
    },
  },
  {
    name: 'html-text', samples: [Buffer.from(HTML), Buffer.from('<div>'.repeat(3000) + HTML)],
    words: ['<p>', '</p>', '<script>', '</script>', '<!--', '-->', '<![CDATA[', ']]>', '<', '>', '&', '&#x', '&amp', ';', ' alt="', "'", '<svg>', '<template>', '<textarea>', '<plaintext>', '<title/>'],
    run: (input) => {
      within(readHtmlText(input.toString(), LIMIT), LIMIT);
      within(readFileText('html', input, { limit: LIMIT }), LIMIT);
    },
  },
  {
    name: 'text', words: ['charset=shift_jis', 'charset="gb18030"', 'charset=utf-7', 'charset=x-user-defined', '\u001b$B', '\ufeff', '\u0000', '日本', 'é'],
    samples: [Buffer.from('charset=windows-1251 \xcf\xf0\xe8', 'latin1'), Buffer.from('\ufeffwide', 'utf16le'), Buffer.from('grün 東京'), Buffer.from([0x1b, 0x24, 0x42, 0x46, 0x7c, 0x1b, 0x28, 0x42])],
    run: (input) => {
      const charsets = namedCharsets(input);
      // No character set has a character of less than a byte; one more is what stands for a cut one.
      for (const cut of [false, true]) within(decodeText(input, charsets, { cut }), input.length + 1);
      within(readFileText('text', input, { limit: 100, charsets, cut: true }), 100);
    },
  },
  {
    name: 'properties', samples: [lines(...CALENDAR), Buffer.from(CALENDAR.join('\n'))],
    words: ['BEGIN:', ';CN="', ':', '"', ';ENCODING=QUOTED-PRINTABLE:', ';CHARSET=', '=\r\n', '=E4', '\r\n ', '\n\t', '\\n', '\\', ';VALUE=BINARY', 'data:'],
    run: (input) => within(readPropertyText(input.toString(), LIMIT), LIMIT),
  },
  {
    name: 'query', samples: ['invoice "final report" -draft e-mail alice@example.test wor* 京都 -"a b"', '„x“ «y» שלום ①'].map((text) => Buffer.from(text)), codes: ['search/no-words', 'search/too-long'],
    words: ['"', '*', '-', ' ', 'AND ', 'NEAR(', 'name:', '^', '(', ')', '{', '}', '+', '\u0000', '\u200b', '\u00ad', '東', 'ß', '\ud800', "'"],
    run: (input) => {
      const text = input.toString();
      const { wanted, excluded } = parseWords(text);
      for (const { words } of [...wanted, ...excluded]) {
        if (words.length === 0 || words.some((word) => /^$|["*\s]/.test(word))) throw new Error(`no words: ${JSON.stringify(words)}`);
      }
      ask.get(matchOf({ words: text, name: text }, undefined));
    },
  },
];
