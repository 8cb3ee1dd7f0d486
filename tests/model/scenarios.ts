import type { Scenario } from './scenario.ts';
import { K, O, W1 } from './state.ts';

const A = 1;
const B = 2;
const GARBAGE = 4;

/** Pack 0 holds a for the kept snapshot, pack 1 holds b for the old one; the writer carries b over and stores a. */
const base: Scenario = {
  name: 'a writer and a pruner',
  packs: [A, B],
  kept: A,
  old: B,
  written: A | B,
  predecessor: O,
  writer: true,
  crash: false,
  sweep: false,
  pinned: 0,
  pruners: 1,
  read: [],
  rewrites: false,
};

/** Each has the actors that its name says; small ones first. */
export const scenarios = {
  writer: base,
  freshWriter: { ...base, name: 'a writer with no predecessor and a pruner', predecessor: 0 },
  sweptWriter: { ...base, name: 'a writer whose pin may be deleted, and a pruner', sweep: true },
  reader: { ...base, name: 'a reader and a pruner', writer: false, read: [K, O] },
  readerAndRewriters: {
    ...base, name: 'a reader and two rewriting pruners', packs: [A | B], writer: false, read: [K, O],
    pruners: 2, rewrites: true,
  },
  copies: {
    ...base, name: 'a reader, two rewriting pruners, two copies of a', packs: [A, A | B], writer: false, read: [K, O],
    pruners: 2, rewrites: true,
  },
  threeGenerations: {
    ...base, name: 'a reader, two rewriting pruners and an old pin', packs: [A | B | GARBAGE], pinned: O, sweep: true,
    writer: false, read: [K, O], pruners: 2, rewrites: true,
  },
  twoPruners: { ...base, name: 'a writer and two pruners', pruners: 2 },
  sweptWithTwo: { ...base, name: 'a writer whose pin may be deleted, and two pruners', pruners: 2, sweep: true },
  crashingAndReader: {
    ...base, name: 'a writer that crashes and runs again, a rewriting pruner and a reader', packs: [A | B], crash: true,
    rewrites: true, read: [K, O, W1],
  },
} as const satisfies Record<string, Scenario>;

/** Too large for every run of the tests: `npm run soak -- protocolModel`. */
export const largeScenarios: readonly Scenario[] = [
  {
    ...base, name: 'a writer with no predecessor, two pruners and a crash', predecessor: 0, written: B,
    pruners: 2, crash: true,
  },
  { ...base, name: 'a writer that crashes and runs again, and two pruners', pruners: 2, crash: true },
  { ...base, name: 'a writer, two pruners and a reader', pruners: 2, read: [O, W1] },
  {
    ...base, name: 'a fresh writer of a, two rewriting pruners, two copies of a', packs: [A, A | B], written: A,
    predecessor: 0, pruners: 2, rewrites: true,
  },
  { ...base, name: 'a crashing writer, two pruners and a reader', pruners: 2, crash: true, written: B, read: [W1] },
  { ...base, name: 'a writer, two rewriting pruners, two copies', packs: [A, A | B], pruners: 2, rewrites: true },
  ...[
    { ...base, name: 'a crashing writer, two rewriting pruners', crash: true },
    { ...base, name: 'a fresh writer, two rewriting pruners', predecessor: 0 },
    { ...base, name: 'a writer whose pin may be deleted, two rewriting pruners', sweep: true },
  ].map((scenario) => ({ ...scenario, packs: [A | B], pruners: 2, rewrites: true }) as const),
];
