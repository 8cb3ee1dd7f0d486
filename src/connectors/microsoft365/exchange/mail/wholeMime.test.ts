import { expect, test } from 'vitest';
import { mayBeCut } from './wholeMime.ts';

const isCut = (text: string): boolean => mayBeCut(Buffer.from(text), Buffer.from(text).subarray(-4096));
const MULTI = 'Content-Type: multipart/mixed;\r\n boundary="=_x"\r\nSubject: a\r\n\r\n--=_x\r\n\r\ntext\r\n--=_x--\r\n';
const BASE64 = 'Subject: a\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJjZGVm\r\nYWJj';

test('a multipart without its end, base64 that stops in a group, and a header without an end are told', () => {
  expect([MULTI, BASE64, 'Subject: a\r\n\r\nplain text', 'Subject: a\n\n', 'Content-Type: multipart/mixed; boundary=y\n\n--y\n--y--'].map(isCut)).toEqual([false, false, false, false, false]);
  expect([MULTI.slice(0, -6), BASE64.slice(0, -1), BASE64.slice(0, -13), 'Subject: a\r\n', 'Subj', ''].map(isCut)).toEqual([true, true, true, true, true, true]);
});
