import type { FuzzTarget } from './fuzzTarget.ts';

const kept: Buffer[] = [];

/** Parsers with a fault each, for the fuzzer's own test: none of them is in the table. */
export const plantedTargets: readonly FuzzTarget[] = [
  {
    name: 'planted-crash', samples: [Buffer.from('{"deep":{"list":[1,2,3]}}')],
    run: (input) => {
      const value: unknown = JSON.parse(input.toString('latin1').replace(/^[^{]*$/, '{"deep":{"list":[]}}'));
      (value as { deep: { list: number[] } }).deep.list.map(String);
    },
  },
  {
    name: 'planted-hang', samples: [Buffer.from('abcdefgh')],
    run: (input) => { while (input.length < 8) input.fill(0); },
  },
  {
    name: 'planted-growth', samples: [Buffer.from('abcdefgh')],
    run: () => { kept.push(Buffer.alloc(1 << 21, 1)); },
  },
];
