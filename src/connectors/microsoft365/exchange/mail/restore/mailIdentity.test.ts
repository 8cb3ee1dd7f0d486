import { expect, test } from 'vitest';
import { contentOf, isSameContent, type DescribedMail } from './mailIdentity.ts';

const META = { from: 'a@example.test', received: '2026-05-01T10:00:00Z', messageId: '<1@x>', mark: 'size 1' };
const mail = (change: string, meta: object = {}, name = 'Subject'): DescribedMail => ({ name, change, meta: JSON.stringify({ ...META, ...meta }) });

test('a mail that was read, flagged or answered is the same, though its size differs; without such a reason it was edited', () => {
  const row = mail('1');
  expect(isSameContent(mail('1'), row)).toBe(true);
  expect(isSameContent(mail('2'), row)).toBe(true);
  for (const state of [{ unread: true }, { categories: ['A'] }, { flag: { flagStatus: 'flagged' } }, { extended: [['Integer 0x1080', '261']] }]) {
    expect(isSameContent(mail('2', { ...state, mark: 'size 2' }), row), JSON.stringify(state)).toBe(true);
    expect(contentOf(mail('2', { ...state, mark: 'size 2' }))).toBe(contentOf(row));
  }
  expect(isSameContent(mail('2', { mark: 'size 2' }), row)).toBe(false);
  expect(isSameContent(mail('2', {}, 'Another subject'), row)).toBe(false);
  expect(isSameContent(mail('2', { from: 'b@example.test', unread: true, mark: 'size 2' }), row)).toBe(false);
});

test('a draft is the same only where nothing has changed', () => {
  const draft = { draft: true };
  expect(isSameContent(mail('1', draft), mail('1', draft))).toBe(true);
  expect(isSameContent(mail('2', draft), mail('1', draft))).toBe(false);
  expect(contentOf(mail('1', draft))).not.toBe(contentOf(mail('2', draft)));
  expect(contentOf(mail('1', draft))).toMatch(/^[\x21-\x7e]+$/);
});
