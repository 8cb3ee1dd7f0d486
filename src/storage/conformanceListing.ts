import { listedNames, NO_PRUNE, requireThat, requireSameNames } from './conformanceCheck.ts';
import type { ConformanceCheck } from './conformanceCheck.ts';

/** In ascending byte order: '-' and '.' sort before '/', which sorts before digits, '_' and letters. */
const ORDERED = [
  '-', '.hidden', '0', 'a', 'a-b/c', 'a-c', 'a.b', 'a0', 'b-', 'b.d/x', 'b/-', 'b/.x', 'b/a/b/c', 'b/a0', 'b/b', 'b0/a',
  'b_', 'ba', 'z/z/z/z',
];
const PREFIXES = ['a', 'a-', 'a-b/', 'b', 'b/', 'b/a', 'b/a/', 'b0', 'z/z/z/z', 'z/z/', '.h', 'c', 'b/c/d', 'a/'];
/** How often the checks of consistency try: a delayed listing shows only now and then. */
const ROUNDS = 20;

/** Checks of list. */
export const listingChecks: readonly ConformanceCheck[] = [
  {
    name: 'list gives all names in ascending byte order',
    async run(storage, helper) {
      for (const rest of ORDERED.toReversed()) await storage.put(helper.name(rest), [helper.bytes(3)]);
      requireSameNames(await listedNames(storage, helper.name('')), ORDERED.map(helper.name), 'list');
    },
  },
  {
    name: 'list gives exactly what starts with the prefix, also within a segment',
    async run(storage, helper) {
      for (const rest of ORDERED) await storage.put(helper.name(rest), [helper.bytes(3)]);
      for (const prefix of PREFIXES) {
        const expected = ORDERED.filter((rest) => rest.startsWith(prefix)).map(helper.name);
        requireSameNames(await listedNames(storage, helper.name(prefix)), expected, `list of "${prefix}"`);
      }
    },
  },
  {
    name: 'list by pages gives each object once',
    async run(storage, helper) {
      for (const rest of ORDERED) await storage.put(helper.name(rest), [helper.bytes(3)]);
      for (const limit of [1, 2, 3, 7, ORDERED.length, ORDERED.length + 1]) {
        const first = await storage.list(helper.name(''), { limit });
        requireThat(first.objects.length <= limit, `a page of at most ${limit} objects holds ${first.objects.length}`);
        const names = await listedNames(storage, helper.name(''), limit);
        requireSameNames(names, ORDERED.map(helper.name), `list by pages of ${limit}`);
      }
    },
  },
  {
    name: 'list goes on after any name, also one that is not there',
    async run(storage, helper) {
      for (const rest of ORDERED) await storage.put(helper.name(rest), [helper.bytes(3)]);
      for (const after of [...ORDERED, 'a-', 'a-b', 'a-b/d', 'b', 'b/a', 'b/a/', 'b/a/b/d', 'b/zz', 'zz']) {
        for (const prefix of ['', 'b/', 'a']) {
          const page = await storage.list(helper.name(prefix), { after: helper.name(after) });
          const expected = ORDERED.filter((rest) => rest.startsWith(prefix) && rest > after).map(helper.name);
          const names = page.objects.map((object) => object.name);
          requireSameNames(names, expected, `list of "${prefix}" after "${after}"`);
        }
      }
    },
  },
  {
    name: 'list of what is not there gives an empty last page',
    async run(storage, helper) {
      await storage.put(helper.name('object'), [helper.bytes(3)]);
      for (const prefix of ['none', 'no/folder/', 'object/', 'object-']) {
        const page = await storage.list(helper.name(prefix));
        requireThat(page.objects.length === 0, `list of "${prefix}" gave objects that do not start so`);
        requireThat(page.next === undefined, `the empty list of "${prefix}" promises another page`);
      }
    },
  },
  {
    name: 'list gives the sizes',
    async run(storage, helper) {
      for (const size of [0, 1, 70_000]) await storage.put(helper.name(`size-${size}`), [helper.bytes(size)]);
      const { objects } = await storage.list(helper.name(''));
      requireThat(objects.length === 3, `list gave ${objects.length} objects instead of 3`);
      for (const { name, size } of objects) {
        requireThat(name === helper.name(`size-${size}`), `list says that "${name}" has ${size} bytes`);
      }
    },
  },
  {
    name: 'list shows at once what was put, and no more what was deleted',
    without: NO_PRUNE,
    async run(storage, helper) {
      const other = await helper.reopen();
      for (let round = 0; round < ROUNDS; round++) {
        const name = helper.name(`folder/round-${round}`);
        await storage.put(name, [helper.bytes(10)]);
        for (const reader of [storage, other]) {
          const names = await listedNames(reader, helper.name(''));
          requireThat(names.includes(name), `list does not show an object right after its put (round ${round + 1})`);
        }
        if (round % 2 === 0) continue;
        await storage.delete(name);
        for (const reader of [storage, other]) {
          const names = await listedNames(reader, helper.name(''));
          requireThat(!names.includes(name), `list still shows an object right after its delete (round ${round + 1})`);
        }
      }
    },
  },
];
