import { expect, test } from 'vitest';
import { isCutAttachment, isCutPicture, type ContentEnds } from './wholeContent.ts';

const ends = (bytes: Buffer): ContentEnds => ({ start: bytes, end: bytes.subarray(-4096), length: bytes.length });
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, ...Array.from({ length: 100 }, () => 7), 0xff, 0xd9, 0, 0]);

test('pictures without their end are told', () => {
  expect([PNG, JPEG, Buffer.from('text'), Buffer.alloc(0)].map((bytes) => isCutPicture(ends(bytes)))).toEqual([false, false, false, false]);
  expect([PNG.subarray(0, 50), PNG.subarray(0, -12), JPEG.subarray(0, 90)].map((bytes) => isCutPicture(ends(bytes)))).toEqual([true, true, true]);
});

test('an attachment with far fewer bytes than were told is told, an attached item not', () => {
  const file = { '@odata.type': '#microsoft.graph.fileAttachment', size: 5000 };
  expect([5000, 4100, 50].map((length) => isCutAttachment(file, ends(Buffer.alloc(length))))).toEqual([false, false, true]);
  expect(isCutAttachment({ ...file, '@odata.type': '#microsoft.graph.itemAttachment' }, ends(Buffer.alloc(50)))).toBe(false);
});
