import { expect, test } from 'vitest';
import { formatMark, MARK_ID, parseMark, takeMark } from './restoredMark.ts';

const MARK = { source: 'AAMkAid=', content: 'mark-of_content', beside: false, whole: true };

test('a mark comes back, and nothing else passes for one', () => {
  for (const mark of [MARK, { ...MARK, beside: true }, { ...MARK, whole: false }]) expect(parseMark(formatMark(mark))).toEqual(mark);
  for (const text of ['', '1 a b place', '2 a b place whole', '1  b place whole', '1 a b here whole', '1 a b place maybe', '1 a b place whole more']) expect(parseMark(text), text).toBe(undefined);
});

test('a listed message is told without its mark, however the service spells the id', () => {
  const size = { id: 'Integer 0xe08', value: '4' };
  for (const id of [MARK_ID, MARK_ID.replaceAll(/[{}]/g, ''), MARK_ID.replace(/\{.*\}/, (guid) => guid.toUpperCase())]) {
    const { entry, mark } = takeMark({ id: 'A', singleValueExtendedProperties: [{ id, value: formatMark(MARK) }, size] });
    expect([mark, entry]).toEqual([MARK, { id: 'A', singleValueExtendedProperties: [size] }]);
  }
  expect(takeMark({ id: 'A' })).toEqual({ entry: { id: 'A' }, mark: undefined });
});
