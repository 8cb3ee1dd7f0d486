import type { Rules, WriterStep } from './rules.ts';
import { DONE, needs } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import {
  at, blobsIn, BROKEN, doomedManifestsNow, doomedPacksNow, get, NAMES, PACK, recordsNow, voidsNow, W1, W2,
} from './state.ts';
import type { State } from './state.ts';

type Emit = (label: string, successor: State) => void;

/** What the writer remembers. */
const my = {
  step: at.writer,
  /** 0, or 1 for the rerun after a crash. */
  run: at.writer + 1,
  manifest: at.writer + 2,
  predecessor: at.writer + 3,
  index: at.writer + 4,
  doomed: at.writer + 5,
  /** How many packs were put, in both runs. */
  put: at.writer + 6,
  /** The doomed records seen at its start: bit 0 and 1 for those of pruner 0 and 1. */
  noted: at.writer + 7,
} as const;

type Act = (state: State, scenario: Scenario, rules: Rules) => string | undefined;

/** Blobs that the writer takes over from its predecessor without having their bytes; the pin alone keeps them. */
export const carried = (state: State, scenario: Scenario): number =>
  needs(scenario, get(state, my.predecessor)) & scenario.written;

function putPack(state: State, scenario: Scenario, blobs: number): string | undefined {
  if (blobs === 0) return undefined;
  const pack = PACK.writerFirst + get(state, my.put);
  // Beyond the bound: the writer stops for good, which is one of the orders that is looked at anyway.
  if (pack > PACK.writerLast) return finish(state, 'stops');
  state[my.put] = get(state, my.put) + 1;
  state[at.packs] = get(state, at.packs) | (1 << pack);
  state[at.contents + pack] = blobs;
  state[my.index] = get(state, my.index) | (1 << pack);
  return `PUT pack ${pack} {${blobs}} of ${scenario.written}`;
}

function finish(state: State, label: string): string {
  state.fill(0, at.writer, at.pruners);
  state[my.step] = DONE;
  return label;
}

/** Tries again under the next manifest id, or ends without success. */
function retry(state: State, rules: Rules): void {
  if (get(state, my.manifest) === W1) {
    state[my.manifest] = W2;
    state[my.step] = rules.writer.indexOf('putManifest');
  } else state[my.step] = rules.writer.indexOf('deletePin');
}

const pinField = (state: State, rules: Rules): number => at.pins + (rules.ownPins ? get(state, my.run) : 0);

function deletePin(state: State, scenario: Scenario, rules: Rules): string | undefined {
  const field = pinField(state, rules);
  state[field] = get(state, field) & ~scenario.predecessor;
  return 'DELETE pin';
}

/** Each does its operation in place and names it, undefined when it has none to do. The step is already the next. */
const acts: Record<WriterStep, Act> = {
  listPacks: (state) => {
    state[my.index] = get(state, at.packs);
    return 'LIST packs';
  },
  listDoomed: (state, _, rules) => {
    if (rules.standingLook === 'unless-noted') state[my.noted] = recordsNow(state);
    if (rules.indexWithoutDoomed) state[my.index] = get(state, my.index) & ~doomedPacksNow(state);
    return 'LIST doomed';
  },
  putPin: (state, scenario, rules) => {
    if (scenario.predecessor === 0) return undefined;
    const field = pinField(state, rules);
    state[field] = get(state, field) | scenario.predecessor;
    return `PUT pin ${NAMES[scenario.predecessor]}`;
  },
  lookAtPredecessor: (state, scenario) => {
    if (scenario.predecessor === 0) return undefined;
    if ((get(state, at.manifests) & scenario.predecessor) === 0) state[my.predecessor] = 0;
    return 'look whether the predecessor stands';
  },
  lookAtDoomedPredecessor: (state, scenario) => {
    if (scenario.predecessor === 0) return undefined;
    if (doomedManifestsNow(state) & scenario.predecessor) state[my.predecessor] = 0;
    return 'LIST doomed for the predecessor';
  },
  putPack: (state, scenario) => {
    const fresh = scenario.written & ~carried(state, scenario);
    return putPack(state, scenario, fresh & ~blobsIn(state, get(state, my.index)));
  },
  deletePinEarly: (state, scenario, rules) => deletePin(state, scenario, rules),
  putManifest: (state) => {
    state[at.manifests] = get(state, at.manifests) | get(state, my.manifest);
    return `PUT manifest ${NAMES[get(state, my.manifest)]}`;
  },
  lookAtPin: (state, scenario, rules) => {
    if (get(state, my.predecessor) === 0) return undefined;
    if ((get(state, pinField(state, rules)) & scenario.predecessor) === 0) finish(state, 'ends');
    return 'look whether its pin stands';
  },
  listDoomedAgain: (state) => {
    state[my.doomed] = doomedPacksNow(state);
    return 'LIST doomed after the manifest';
  },
  listPacksAgain: (state, _, rules) => {
    if (rules.standingLook === 'unless-noted' && get(state, my.noted) & recordsNow(state)) return undefined;
    state[my.index] = get(state, my.index) & get(state, at.packs);
    return 'look whether the packs stand';
  },
  putPackAgain: (state, scenario, rules) => {
    const standing = blobsIn(state, get(state, at.packs) & ~get(state, my.doomed));
    if (rules.carriedNotDoomed && carried(state, scenario) & ~standing) state[at.broken] = BROKEN.predecessor;
    const good = get(state, my.index) & ~get(state, my.doomed);
    const blobs = scenario.written & ~blobsIn(state, good);
    return putPack(state, scenario, blobs & ~carried(state, scenario));
  },
  putSeal: (state) => {
    state[at.seals] = get(state, at.seals) | get(state, my.manifest);
    return `PUT seal ${NAMES[get(state, my.manifest)]}`;
  },
  lookAtVoid: (state, _, rules) => {
    if (voidsNow(state) & get(state, my.manifest)) retry(state, rules);
    return 'look for a void';
  },
  lookAtManifest: (state, _, rules) => {
    if ((get(state, at.manifests) & get(state, my.manifest)) === 0) retry(state, rules);
    return 'look whether the manifest stands';
  },
  report: (state) => {
    state[at.reported] = get(state, at.reported) | get(state, my.manifest);
    return undefined;
  },
  deletePin: (state, scenario, rules) => {
    if (scenario.predecessor === 0) return undefined;
    state[my.predecessor] = 0;
    return deletePin(state, scenario, rules);
  },
};

/** The writer's next operation, and its crash with a rerun. Steps with nothing to do are passed over on the way. */
export function writerSteps(state: State, scenario: Scenario, rules: Rules, scratch: State, emit: Emit): void {
  if (get(state, my.step) === DONE) return;
  scratch.set(state);
  let label: string | undefined;
  while (label === undefined && get(scratch, my.step) !== DONE) label = step(scratch, scenario, rules);
  // What is decided without an operation happens at once, a report above all.
  while (isLocal(scratch, rules)) step(scratch, scenario, rules);
  emit(`writer: ${label ?? 'ends'}`, scratch);
  if (!scenario.crash || get(state, my.run) === 1 || get(state, my.manifest) === W2) return;
  scratch.set(state);
  const put = get(state, my.put);
  scratch.fill(0, at.writer, at.pruners);
  scratch[my.put] = put;
  scratch[my.run] = 1;
  scratch[my.manifest] = W2;
  emit('writer: crashes, runs again', scratch);
}

const isLocal = (state: State, rules: Rules): boolean => rules.writer[get(state, my.step)] === 'report';

function step(state: State, scenario: Scenario, rules: Rules): string | undefined {
  const name = rules.writer[get(state, my.step)];
  if (name === undefined) return finish(state, 'ends');
  if (get(state, my.step) === 0) {
    if (get(state, my.manifest) === 0) state[my.manifest] = W1;
    state[my.predecessor] = scenario.predecessor;
  }
  state[my.step] = get(state, my.step) + 1;
  return acts[name](state, scenario, rules);
}
