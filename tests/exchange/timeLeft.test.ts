import { expect, test } from 'vitest';
import { worstEstimate, type CostedPart } from '../bench/worstEstimate.ts';

test('what is said to be left is within a fifth after the first tenth, though parts differ in what an item costs', () => {
  const calendar: CostedPart = { name: 'calendar', items: 900, each: [2, 3, 1, 2, 4], usual: 3 };
  const mail: CostedPart = { name: 'mail', items: 9000, each: [1] };
  const others: readonly CostedPart[] = [{ name: 'contacts', items: 600, each: [1, 1, 1, 2] }, { name: 'notes', items: 400, each: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], usual: 0.05 }, { name: 'tasks', items: 500, each: [1, 1, 1, 1, 1, 1, 1, 1, 1, 2] }];
  expect(worstEstimate([calendar, ...others.slice(0, 1), mail, ...others.slice(1)])).toBeLessThan(0.2);
  expect(worstEstimate([mail])).toBeLessThan(0.02);
  // Far from what is usual: it is learned, long before the first tenth.
  expect(worstEstimate([{ ...calendar, items: 5000, each: [12] }])).toBeLessThan(0.1);
});
