import { expect, test } from 'vitest';
import { parseFilter } from './filter.ts';

const PERSON = {
  name: "O'Brien", age: 40, active: true, manager: null, created: '2026-03-04T05:06:07Z', tags: ['Blue', 'Red'], licences: [{ sku: '06ebc4ee-1bb5-47dd-8120-11324bc54e06' }], from: { address: 'a@b.example' },
};

test.each([
  ["name eq 'o''brien'", true], ['age gt 39 and age le 40', true], ['age lt 40 or active eq true', true], ['not active eq true', false], ['not (active eq false)', true],
  ['manager eq null', true], ['manager ne null', false], ["missing eq 'x'", false], ["missing ne 'x'", true], ['created ge 2026-03-04T00:00:00Z', true], ['created gt 2026-03-05', false],
  ["startswith(name,'o')", true], ["endswith(name, 'IEN')", true], ["contains(name,'z')", false], ["name in ('x', 'O''Brien')", true], ["from/address eq 'A@B.example'", true],
  ["tags/any(t:t eq 'red')", true], ["tags/any(t:startswith(t,'g'))", false], ['tags/any()', true], ["tags/all(t:t eq 'red')", false],
  ['licences/any(l:l/sku eq 06ebc4ee-1bb5-47dd-8120-11324bc54e06)', true], ["age eq 40 and (name eq 'x' or tags/any(t:t eq 'blue'))", true],
])('%s is %s', (text, expected) => {
  expect(parseFilter(text).test(PERSON)).toBe(expected);
});

test.each(['', 'age', 'age eq', 'age eq 1 and', "name eq 'x", 'age foo 1', 'age eq 1)', 'any(x:x eq 1)', "contains(name 'x')"])('%s is no filter', (text) => {
  expect(() => parseFilter(text).test(PERSON) || refuse(text)).toThrow(/filter|nothing/);
});

/** A lone property parses, and is never true. */
function refuse(text: string): never {
  throw new Error(`nothing to filter in '${text}'`);
}
