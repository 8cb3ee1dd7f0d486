import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EraseSet } from './eraseSet.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), maxLength: 5 });

test('a key is in the set when it, or what it begins with, was chosen; or when its parent was', () => {
  fc.assert(fc.property(fc.array(text, { maxLength: 4 }), fc.array(text, { maxLength: 6 }), fc.array(text), text, (keys, prefixes, all, parent) => {
    const set = new EraseSet({ keys: new Set(keys), prefixes });
    for (const key of all) {
      const expected = keys.includes(key) || prefixes.some((prefix) => key.startsWith(prefix)) || (parent !== '' && keys.includes(parent));
      expect(set.has(key, parent), JSON.stringify([key, parent])).toBe(expected);
    }
  }));
});

test('what lay below is learnt at any depth, but not through what is shown elsewhere', () => {
  const set = new EraseSet({ keys: new Set(['top']), prefixes: [] });
  const learn = (): void => { for (const [key, parent] of [['a', 'top'], ['b', 'a'], ['moved', 'top'], ['in', 'moved'], ['else', 'other']] as const) set.learn(key, parent); };
  learn();
  expect(set.hidden).toBe(4);
  set.isShown('moved');
  set.withoutShown();
  learn();
  expect(set.hidden).toBe(2);
  expect(['a', 'b', 'moved', 'in', 'else'].map((key) => set.has(key, ''))).toEqual([true, true, false, false, false]);
  set.forgetHidden();
  learn();
  expect(set.hidden).toBe(4);
});
