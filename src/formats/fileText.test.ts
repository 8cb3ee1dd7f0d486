import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFileText } from './fileText.ts';
import { readText } from './readText.ts';
import { textFormatOfFile, textFormatOfPart } from './textFormat.ts';

const words = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
const properties = (...lines: readonly string[]): string => words(readFileText('properties', Buffer.from(lines.join('\r\n')), { limit: 10_000 }));

test('the name of a file tells how it is read, and the type of a part more than its name', () => {
  const files = ['a.txt', 'A.TXT', 'table.csv', 'page.html', 'read.me.md', 'data.json', 'call.ics', 'card.vcf', 'letter.eml', 'run.sh', 'photo.jpg', 'txt', 'x.'];
  expect(files.map(textFormatOfFile)).toEqual(
    ['text', 'text', 'text', 'html', 'text', 'text', 'properties', 'properties', 'mail', undefined, undefined, undefined, undefined]);
  const parts = [
    ['text/plain', ''], ['text/plain', 'call.ics'], ['application/octet-stream', 'notes.md'], ['application/octet-stream', 'photo.jpg'], ['application/json', 'x'],
    ['text/calendar', ''], ['text/x-anything', 'x.html'], ['text/css', 'x.txt'], ['application/pdf', 'x.txt'], ['message/rfc822', ''], ['text/html', ''],
  ] as const;
  expect(parts.map(([type, name]) => textFormatOfPart(type, name))).toEqual(
    ['text', 'properties', 'text', undefined, 'text', 'properties', 'text', undefined, undefined, 'mail', 'html']);
});

test('of a calendar and of cards the values are read, and the names of people', () => {
  expect(properties(
    'BEGIN:VCALENDAR', 'PRODID:-//Some program//EN', 'BEGIN:VEVENT', 'UID:1@example.test', 'SUMMARY;LANGUAGE=en:Budget\\, second', '  draft', 'DESCRIPTION:one\\ntwo\\; three',
    'ATTENDEE;CN="Meier: Ann";ROLE=CHAIR:mailto:ann@example.test', 'ATTACH;FMTTYPE=image/png;ENCODING=BASE64;VALUE=BINARY:aWdub3JlZA==', 'END:VEVENT', 'END:VCALENDAR',
  )).toBe('Budget, second draft one two; three Meier: Ann mailto:ann@example.test');
  expect(properties(
    'BEGIN:VCARD', 'VERSION:3.0', 'item1.FN:Jörg Maier', 'PHOTO;ENCODING=b;TYPE=JPEG:aWdu', ' b3JlZA==', 'KEY:data:application/pgp-keys;base64,aWdu', 'NOTE:likes\\, tea', 'no property at all', 'END:VCARD',
  )).toBe('Jörg Maier likes, tea');
  expect(properties(
    'BEGIN:VCARD', 'VERSION:2.1', 'FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=F6rg=', '=20Maier', 'PHOTO;JPEG;BASE64:', ' aWdub3JlZA==', '', 'TEL;HOME:+49 30 1', 'END:VCARD',
  )).toBe('Jörg Maier +49 30 1');
});

test('a page is read in the character set that it names', () => {
  const page = Buffer.from('<meta charset="windows-1251"><script>no</script><p>\xcf\xf0\xe8\xe2\xe5\xf2', 'latin1');
  expect(words(readFileText('html', page, { limit: 100 }))).toBe('Привет');
});

test('what is no text is not read, whatever its name', () => {
  expect(readFileText('text', Buffer.from('PNG\0\0\x01words'), { limit: 100 })).toBe('');
  expect(readFileText('text', Buffer.from('\ufeffwide', 'utf16le'), { limit: 100 })).toContain('wide');
});

test('a file that is cut in the middle of a character is read as what it is', () => {
  for (const [bytes, start] of [[Buffer.from('日本語'.repeat(50)), '日本語日本語'], [Buffer.from('ünïcode '.repeat(50)), 'ünïcode ünïcode']] as const) {
    for (let length = 90; length < 100; length++) {
      const text = readFileText('text', bytes.subarray(0, length), { limit: 1000, cut: true });
      expect(text.startsWith(start), `${length} bytes`).toBe(true);
    }
  }
  // The limit cuts, too; what is not cut and does not end well is no UTF-8.
  expect(readFileText('text', Buffer.from('日'.repeat(100)), { limit: 10 })).toBe('日'.repeat(10));
  expect(readFileText('text', Buffer.from('caf\xe9', 'latin1'), { limit: 10 })).toBe('café');
});

test('is bounded, and gives text whatever the bytes are', async () => {
  for (const format of ['text', 'html', 'properties'] as const) {
    expect(readFileText(format, Buffer.from('NOTE:words and more\n'.repeat(1000)), { limit: 500 }).length).toBeLessThanOrEqual(500);
  }
  const line = fc.oneof(fc.constantFrom('NOTE;ENCODING=QUOTED-PRINTABLE:=', ' ', '=', 'X;CN="', 'X:\\', 'N;CHARSET=no-such;ENCODING=QUOTED-PRINTABLE:=E4', ':', '"'), fc.string({ unit: 'binary', maxLength: 40 }));
  await fc.assert(fc.asyncProperty(fc.constantFrom('text', 'html', 'properties'), fc.array(line, { maxLength: 30 }), async (format, lines) => {
    const read = await readText(format, Buffer.from(lines.join('\n'), 'latin1'));
    for (const text of Object.values(read)) expect(typeof text).toBe('string');
  }), { numRuns: 300 });
});
