import { expect, test } from 'vitest';
import { protocol } from './protocol.ts';
import type { Rules } from './rules.ts';
import { corrected, moved, without } from './rules.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import type { Model } from './search.ts';
import { search } from './search.ts';
import { spareable } from './spareable.ts';
import { at, get, O, W1, W2 } from './state.ts';

/** A trace says more than a number: it is what the failed assertion shows. */
const outcome = (model: Model) => {
  const { loss } = search(model);
  return loss === undefined ? 'nothing is lost' : [loss.what, ...loss.trace].join('\n');
};

// I12, I13, I14 and I15 of docs/format/invariants.md.
test.for(Object.values(scenarios))('$name: no order of operations loses anything', (scenario) => {
  expect(outcome(protocol(scenario, corrected, { alike: true }))).toBe('nothing is lost');
});

const lostBlob = 'a snapshot lost a blob';
const lostManifest = 'a snapshot that succeeded has no manifest';
const doomedSuccess = 'a snapshot that succeeded is doomed';
const lostPredecessor = 'a writer that passed its check misses a blob of its predecessor';
const lostRead = 'a reader that passed its check misses a blob';

const dropped = (actor: 'writer' | 'pruner' | 'reader', step: string) => without(corrected, actor, step);
const before = (actor: 'writer' | 'pruner' | 'reader', step: string, other: string) =>
  moved(corrected, actor, step, other);
const pinDroppedBefore = (step: string): Rules => ({
  ...corrected,
  writer: without(corrected, 'writer', 'deletePin').writer.flatMap((name) =>
    name === step ? ['deletePinEarly' as const, name] : [name],
  ),
});

const broken: [what: string, rules: Rules, scenario: Scenario, loss: string][] = [];
const breaks = (scenario: Scenario, loss: string, changes: Record<string, Rules>): void => {
  for (const [what, rules] of Object.entries(changes)) broken.push([what, rules, scenario, loss]);
};
const { writer, freshWriter, sweptWriter, sweptWithTwo, reader, readerAndRewriters, copies } = scenarios;
const { threeGenerations, twoPruners, crashingAndReader } = scenarios;

breaks(writer, lostPredecessor, {
  'the writer does not pin': dropped('writer', 'putPin'),
  'the writer does not look whether its predecessor is doomed': dropped('writer', 'lookAtDoomedPredecessor'),
  'the writer does not look whether its predecessor stands': dropped('writer', 'lookAtPredecessor'),
  'the writer pins after its looks': before('writer', 'putPin', 'putPack'),
  'the writer looks at its predecessor before the records':
    before('writer', 'lookAtPredecessor', 'lookAtDoomedPredecessor'),
  'the writer unpins before its manifest': pinDroppedBefore('putManifest'),
  'the writer unpins before its seal': pinDroppedBefore('putSeal'),
  'the pruner does not say what it dooms': dropped('pruner', 'putDoomed'),
  'the pruner does not look at pins again': dropped('pruner', 'listPinsAgain'),
  'the pruner dooms after its second look': before('pruner', 'putDoomed', 'putReduced'),
});
breaks(writer, lostBlob, {
  'the writer does not list the records after its manifest': dropped('writer', 'listDoomedAgain'),
  'the writer does not look whether its packs stand': dropped('writer', 'listPacksAgain'),
  'the writer does not store again what is doomed': dropped('writer', 'putPackAgain'),
  'the writer looks at its packs before the records': before('writer', 'listPacksAgain', 'listDoomedAgain'),
  'the pruner does not look at manifests again': dropped('pruner', 'listManifestsAgain'),
  'the pruner lists manifests before pins': before('pruner', 'listManifestsAgain', 'listPinsAgain'),
  'the pruner deletes its record before the packs': before('pruner', 'deleteRecord', 'deletePack'),
});
breaks(freshWriter, lostBlob, {
  'the writer lists the records before its manifest': before('writer', 'listDoomedAgain', 'putManifest'),
});
breaks(sweptWriter, lostBlob, {
  'the writer does not look whether its pin stands': dropped('writer', 'lookAtPin'),
  'the writer looks at its pin before its manifest': before('writer', 'lookAtPin', 'putManifest'),
  'the writer looks at its pin after the seal': before('writer', 'lookAtPin', 'lookAtVoid'),
});
breaks(writer, doomedSuccess, {
  'the writer does not look for a void': dropped('writer', 'lookAtVoid'),
  'the writer looks for a void before the seal': before('writer', 'lookAtVoid', 'putSeal'),
  'the pruner does not void': dropped('pruner', 'putVoid'),
  'the pruner does not look at the seal of what it voided': dropped('pruner', 'lookAtSeal'),
  'the pruner looks at the seal before it voids': before('pruner', 'lookAtSeal', 'putVoid'),
  'the pruner deletes its voids before the manifests': before('pruner', 'deleteVoid', 'deleteManifest'),
});
breaks(writer, lostManifest, {
  'the writer does not look whether its manifest stands': dropped('writer', 'lookAtManifest'),
  'the writer looks at its manifest before the void': before('writer', 'lookAtManifest', 'lookAtVoid'),
});
breaks(readerAndRewriters, lostBlob, {
  'the pruner does not look at the other record': dropped('pruner', 'listDoomed'),
  'the pruner lists packs before the other record': before('pruner', 'listDoomed', 'spare'),
  'the pruners share a record': { ...corrected, ownRecords: false },
});
breaks(copies, lostBlob, { 'the pruner does not look at packs again': dropped('pruner', 'listPacksAgain') });
breaks(reader, lostRead, {
  'the reader does not pin': dropped('reader', 'putPin'),
  'the reader pins after its looks': before('reader', 'putPin', 'listPacks'),
  'the reader does not look whether the snapshot is doomed': dropped('reader', 'lookAtDoomed'),
  'the reader does not look whether the manifest stands': dropped('reader', 'lookAtManifest'),
  'the reader looks at the manifest before the records': before('reader', 'lookAtManifest', 'lookAtDoomed'),
});
breaks(crashingAndReader, lostRead, {
  'the reader does not look for the seal': dropped('reader', 'lookAtSeal'),
  'the reader does not load its index again': { ...corrected, reloads: 0 },
});
breaks(threeGenerations, lostRead, { 'the reader loads its index again once only': { ...corrected, reloads: 1 } });
breaks(twoPruners, doomedSuccess, {
  'the pruners share voids': { ...corrected, ownVoids: false },
  'what another pruner has voided is no root': { ...corrected, voidedIsRoot: false },
});
breaks(crashingAndReader, lostPredecessor, { 'sessions share pins': { ...corrected, ownPins: false } });
breaks(sweptWithTwo, lostBlob, {
  'a record seen at the start replaces the look at packs': { ...corrected, standingLook: 'unless-noted' },
});
breaks(writer, 'a writer cannot place what it carries over', {
  'what is carried over must stand in no record': { ...corrected, carriedNotDoomed: true },
});

test.for(broken)('%s: something is lost', ([, rules, scenario, what]) => {
  const { loss } = search(protocol(scenario, rules));
  expect(loss?.what).toBe(what);
  expect(loss?.trace.length).toBeGreaterThan(3);
});

test.for(spareable)('%s: nothing is lost', ([, rules]) => {
  for (const scenario of [writer, sweptWriter, twoPruners, copies]) {
    expect(outcome(protocol(scenario, rules))).toBe('nothing is lost');
  }
});

test('success, a retry after a void, deletion and sparing are all among the orders searched', () => {
  const reached = (scenario: Scenario, goal: (state: Uint8Array) => boolean) => {
    const model = protocol(scenario, corrected);
    return search({ ...model, loss: (state) => (goal(state) ? 'reached' : undefined) }).loss?.what;
  };
  const has = (field: number, bits: number) => (state: Uint8Array) => (get(state, field) & bits) === bits;
  const gone = (field: number, bits: number) => (state: Uint8Array) => (get(state, field) & bits) === 0;
  expect(reached(writer, has(at.reported, W1))).toBe('reached');
  expect(reached(writer, has(at.reported, W2))).toBe('reached');
  expect(reached(writer, (state) => has(at.reported, W1)(state) && gone(at.manifests, O)(state))).toBe('reached');
  expect(reached(freshWriter, (state) => has(at.reported, W1)(state) && gone(at.packs, 2)(state))).toBe('reached');
  expect(reached(readerAndRewriters, gone(at.packs, 1))).toBe('reached');
  expect(reached(crashingAndReader, has(at.seals, W1 | W2))).toBe('reached');
  const doomed = reached(reader, (state) => has(at.doomedPacks, 2)(state) && has(at.pins + 2, O)(state));
  expect(doomed).toBe('reached');
});

test('the search finds the shortest way, and refuses to prove half', () => {
  // Two counters to three, each step raises one; the goal is reached in five steps and no fewer.
  const model: Model = {
    size: 4,
    initial: [new Uint8Array(4)],
    next: (state, emit) => {
      for (const place of [0, 1]) {
        const after = state.slice();
        after[place] = get(after, place) + 1;
        if (get(after, place) <= 3) emit(`raise ${place}`, after);
      }
    },
    loss: (state) => (get(state, 0) === 3 && get(state, 1) === 2 ? 'goal' : undefined),
  };
  expect(search(model).loss?.trace).toHaveLength(5);
  expect(search({ ...model, loss: () => undefined })).toEqual({ states: 16 });
  expect(() => search({ ...model, loss: () => undefined }, 10)).toThrow('more than 10 states');
});
