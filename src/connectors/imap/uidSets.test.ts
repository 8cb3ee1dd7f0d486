import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UidList } from './uidList.ts';
import { formatUidSet, parseUidSet } from './uidSet.ts';

const uid = fc.integer({ min: 1, max: 0xffffffff });

test('sequence sets name exactly the UIDs that went in, in as few ranges as there are runs', () => {
  expect(formatUidSet([1, 2, 3, 9, 11, 12])).toBe('1:3,9,11:12');
  expect(parseUidSet('4:2,9')).toEqual([[2, 4], [9, 9]]);
  expect(() => parseUidSet('1:*')).toThrow(RangeError);
  fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (uids) => {
    uids.sort((a, b) => a - b);
    const back = parseUidSet(formatUidSet(uids)).flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
    expect(back).toEqual(uids);
  }));
});

test('a list gives back what a map would, in order, the last flags of each', () => {
  const flags = fc.option(fc.constantFrom('', '\\Seen', 'a b'), { nil: undefined });
  fc.assert(fc.property(fc.array(fc.tuple(uid, flags), { maxLength: 3000 }), (entries) => {
    const list = new UidList();
    for (const [number, text] of entries) list.add(number, text);
    list.sort();
    const expected = [...new Map(entries)].sort(([a], [b]) => a - b);
    expect(Array.from({ length: list.length }, (_, i) => [list.uid(i), list.flags(i)])).toEqual(expected);
    for (const [number] of expected) expect(list.has(number)).toBe(true);
    expect(list.has(0)).toBe(false);
  }), { numRuns: 50 });
});
