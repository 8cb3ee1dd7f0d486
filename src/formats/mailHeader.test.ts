import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mailHeaderLength, readMailSummary } from './mailHeader.ts';

const read = (text: string): ReturnType<typeof readMailSummary> => readMailSummary(Buffer.from(text, 'latin1'));

test('reads folded, encoded and 8-bit fields', () => {
  expect(read('Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?Q?_aus?= K\xf6ln\r\nFROM: "Meier, Ann" <ann@a.test>\r\n'
    + 'To: =?iso-8859-1?q?J=F6rg?= <j@b.test>,\r\n\tc@d.test\r\nDate: Thu, 01 Feb 2024 10:00:00 +0100 (CET)\r\nMessage-ID: <1@x>\r\n\r\nSubject: no'))
    .toEqual({
      subject: 'Grüße aus Köln', from: 'Meier, Ann <ann@a.test>', to: 'Jörg <j@b.test>, c@d.test',
      date: Date.parse('2024-02-01T09:00:00Z'), messageId: '<1@x>',
    });
});

test('takes the first of repeated fields, with its own continuation lines only', () => {
  expect(read('Subject: one\n two\nSubject: three\n four\n\n').subject).toBe('one two');
});

test('knows where the header ends', () => {
  for (const [text, length] of [['a: b\r\n\r\nc', 8], ['a: b\n\nc', 6], ['\r\nx', 2], ['\nx', 1], ['a: b\r\nc', 7], ['', 0], ['a\r\n\r\n', 5]] as const) {
    expect(mailHeaderLength(Buffer.from(text))).toBe(length);
  }
});

test('gives nothing where there is nothing', () => {
  expect(read('no header')).toEqual({ subject: '', from: '', to: '', date: null, messageId: '' });
});

test('never throws, never gives control characters or endless text', () => {
  const line = fc.tuple(fc.constantFrom('Subject', 'From', 'To', 'Date', 'Message-ID', ' ', '', 'X'), fc.constantFrom(':', ' :', ''),
    fc.string({ unit: 'binary', maxLength: 2000 }), fc.constantFrom('\r\n', '\n', '\r'));
  fc.assert(fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
    const { subject, from, to, messageId } = readMailSummary(Buffer.from(lines.map((parts) => parts.join('')).join('')));
    for (const text of [subject, from, to, messageId]) {
      expect(text.length).toBeLessThanOrEqual(500);
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      expect(text).not.toMatch(/[\x00-\x1f]/);
      expect(text.isWellFormed()).toBe(true);
    }
  }));
});
