import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mboxFromLine, MboxrdQuoter } from './mboxrd.ts';

/** Pieces, so that what is looked for may lie across two of them. */
function quoted(pieces: readonly Uint8Array[]): string {
  const quoter = new MboxrdQuoter();
  const given = pieces.map((piece) => quoter.push(piece));
  return Buffer.concat([...given, quoter.end()]).toString('latin1');
}

const quote = (text: string): string => quoted([Buffer.from(text, 'latin1')]);

/** As the format says it, a line at a time. */
function unquote(text: string): string {
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n').map((line) => (/^>+From /.test(line) ? line.slice(1) : line)).join('\n');
}

test.each([
  ['From a\n', '>From a\n\n'], ['>From a\n', '>>From a\n\n'], ['a\nFrom b\r\n', 'a\n>From b\r\n\n'], ['a\n>>From b\n', 'a\n>>>From b\n\n'],
  ['a From b\n', 'a From b\n\n'], ['a\rFrom b\n', 'a\rFrom b\n\n'], ['From\n', 'From\n\n'], ['From', 'From\n\n'], ['>Fro', '>Fro\n\n'],
  ['', '\n'], ['\n', '\n\n'], ['a', 'a\n\n'], ['a\r', 'a\r\n\n'], [' From a\n', ' From a\n\n'], ['FROM a\nfrom b\n', 'FROM a\nfrom b\n\n'],
  ['\nFrom From From \nFrom ', '\n>From From From \n>From \n\n'],
])('%j stands in an mbox as %j', (mail, written) => {
  expect(quote(mail)).toBe(written);
});

test('any bytes in any pieces: no line begins a mail, and unquoting gives the bytes back, but for an LF at the end', () => {
  const part = fc.oneof(
    fc.constantFrom('From ', '>From ', '>>From ', 'From', 'Fro', 'm ', '>', '\n', '\r\n', '\r', ' ', ''), fc.string({ unit: 'binary', maxLength: 6 }),
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(30), { maxLength: 30 }), (parts, cuts) => {
    const mail = Buffer.from(parts.join(''), 'latin1');
    const pieces: Buffer[] = [];
    let at = 0;
    for (const length of cuts) {
      pieces.push(mail.subarray(at, at + length));
      at += length;
    }
    pieces.push(mail.subarray(at));
    const text = quoted(pieces);
    expect(text.split('\n').filter((line) => line.startsWith('From '))).toEqual([]);
    const back = unquote(text);
    const original = mail.toString('latin1');
    expect(back).toBe(original === '' || original.endsWith('\n') ? original : `${original}\n`);
  }), { numRuns: 200 });
});

test.each([
  ['From: "A, B" <a.b@c.test>\r\n\r\n', Date.UTC(2024, 0, 2, 3, 4, 5), 'From a.b@c.test Tue Jan  2 03:04:05 2024\n'],
  ['From: a@b.test\r\nDate: Thu, 15 Feb 2024 10:00:00 +0100\r\n\r\n', null, 'From a@b.test Thu Feb 15 09:00:00 2024\n'],
  ['Subject: x\r\n\r\nFrom: no@body.test', null, 'From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n'],
  ['From: nobody\r\n\r\n', 8.64e15 + 1, 'From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n'],
  ['From: x@y.test\nDate: nonsense\n\n', Date.UTC(12_000, 0), 'From x@y.test Thu Jan  1 00:00:00 1970\n'],
])('the line that begins %j', (start, arrived, line) => {
  expect(mboxFromLine(Buffer.from(start), arrived).toString()).toBe(line);
});
