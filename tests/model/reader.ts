import type { ReaderStep, Rules } from './rules.ts';
import { DONE, needs } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { at, BROKEN, doomedManifestsNow, get, lowestBit, NAMES, packsWith } from './state.ts';
import type { State } from './state.ts';

type Emit = (label: string, successor: State) => void;

/** What the reader remembers. */
const my = {
  step: at.reader,
  target: at.reader + 1,
  index: at.reader + 2,
  /** Blobs still to be read. */
  left: at.reader + 3,
  reloads: at.reader + 4,
} as const;

const PIN = at.pins + 2;

type Look = Exclude<ReaderStep, 'putPin' | 'read'>;

const looks: Record<Look, (state: State, scenario: Scenario, rules: Rules) => boolean> = {
  lookAtSeal: (state) => (get(state, at.seals) & get(state, my.target)) !== 0,
  lookAtManifest: (state) => (get(state, at.manifests) & get(state, my.target)) !== 0,
  lookAtDoomed: (state) => (doomedManifestsNow(state) & get(state, my.target)) === 0,
  listPacks: (state, scenario) => {
    state[my.index] = get(state, at.packs);
    state[my.left] = needs(scenario, get(state, my.target));
    return true;
  },
  deletePin: (state, _, rules) => {
    const field = rules.ownPins ? PIN : at.pins;
    state[field] = get(state, field) & ~get(state, my.target);
    return true;
  },
};

/** The reader's next operation; several where it has a choice of snapshots or packs. */
export function readerSteps(state: State, scenario: Scenario, rules: Rules, scratch: State, emit: Emit): void {
  const place = get(state, my.step);
  if (place === DONE) return;
  const name = rules.reader[place];
  const targets = get(state, my.target) === 0 ? scenario.read : [get(state, my.target)];
  for (const target of targets) {
    if (place === 0 && (get(state, at.manifests) & target) === 0) continue;
    scratch.set(state);
    scratch[my.target] = target;
    if (name === 'read') {
      readBlob(scratch, rules, emit);
      continue;
    }
    scratch[my.step] = place + 1;
    if (name === 'putPin') {
      const field = rules.ownPins ? PIN : at.pins;
      scratch[field] = get(scratch, field) | target;
    } else if (name !== undefined && !looks[name](scratch, scenario, rules)) {
      const last = rules.reader.indexOf('deletePin');
      scratch[my.step] = last < 0 ? rules.reader.length : last;
    }
    if (get(scratch, my.step) >= rules.reader.length) finish(scratch);
    emit(`reader: ${name ?? 'ends'} ${NAMES[target]}`, scratch);
  }
}

function finish(state: State): void {
  state.fill(0, at.reader);
  state[my.step] = DONE;
}

/** Reads the next blob from any pack that the index names; without one left it loads the index again. */
function readBlob(state: State, rules: Rules, emit: Emit): void {
  const left = get(state, my.left);
  const blob = lowestBit(left);
  if (blob === 0) {
    state[my.step] = get(state, my.step) + 1;
    if (get(state, my.step) >= rules.reader.length) finish(state);
    emit('reader: has all', state);
    return;
  }
  const before = state.slice();
  const named = packsWith(state, get(state, my.index), blob);
  for (let rest = named; rest !== 0; rest &= rest - 1) {
    const pack = lowestBit(rest);
    state.set(before);
    const stands = (get(state, at.packs) & pack) !== 0;
    if (stands) {
      state[my.left] = left & ~blob;
      state[my.reloads] = 0;
    } else state[my.index] = get(state, my.index) & ~pack;
    emit(`reader: GET blob ${blob} of pack ${Math.log2(pack)}${stands ? '' : ', which is gone'}`, state);
  }
  if (named === 0) reload(state, rules, blob, emit);
}

function reload(state: State, rules: Rules, blob: number, emit: Emit): void {
  const limit = rules.reloads === 'while-new' ? Infinity : rules.reloads;
  if (get(state, my.reloads) >= limit) {
    state[at.broken] = BROKEN.reader;
    emit('reader: may not load the index again', state);
    return;
  }
  state[my.reloads] = rules.reloads === 1 ? 1 : 0;
  state[my.index] = get(state, at.packs);
  if (packsWith(state, get(state, my.index), blob) === 0) state[at.broken] = BROKEN.reader;
  emit('reader: LIST packs again', state);
}
