import { prunerSteps } from './pruner.ts';
import { readerSteps } from './reader.ts';
import type { Rules } from './rules.ts';
import { DONE, initialState, needs } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import type { Model } from './search.ts';
import {
  at, blobsIn, BROKEN, doomedManifestsNow, get, K, PRUNER_FIELDS, STATE_SIZE, W1, W2,
} from './state.ts';
import type { State } from './state.ts';
import { carried, writerSteps } from './writer.ts';

const PREDECESSOR_STEPS: ReadonlySet<string> = new Set(['putPin', 'lookAtPredecessor', 'lookAtDoomedPredecessor']);

/**
 * The protocol under `rules`, from what `scenario` finds in the bucket. `alike`: states that differ only in which
 * pruner is which count once, where that is sound; half the states, but traces may change the pruners' numbers.
 */
export function protocol(scenario: Scenario, rules: Rules, options: { alike: boolean } = { alike: false }): Model {
  const scratch = new Uint8Array(STATE_SIZE);
  const other = new Uint8Array(STATE_SIZE);
  // Rewritten packs carry their pruner's number, and what the two share stands in the first one's field.
  const alike = options.alike && !scenario.rewrites && rules.ownVoids && rules.ownRecords;
  return {
    size: STATE_SIZE,
    initial: [initialState(scenario)],
    next(state, emitAny) {
      const emit = alike ? (label: string, next: State) => emitAny(label, sortPruners(next, other)) : emitAny;
      writerSteps(state, scenario, rules, scratch, emit);
      prunerSteps(state, 0, scenario, rules, scratch, emit);
      prunerSteps(state, 1, scenario, rules, scratch, emit);
      readerSteps(state, scenario, rules, scratch, emit);
      for (let pins = at.pins; scenario.sweep && pins < at.pins + 2; pins++) {
        scratch.set(state);
        scratch[pins] = 0;
        emit('somebody: DELETE the old pin', scratch);
      }
    },
    loss: (state) => loss(state, scenario, rules),
  };
}

/** The state with the pruners in ascending order of what they remember. */
function sortPruners(state: State, other: State): State {
  const first = at.pruners;
  const second = first + PRUNER_FIELDS;
  let place = 0;
  while (place < PRUNER_FIELDS && state[first + place] === state[second + place]) place += 1;
  if (place < PRUNER_FIELDS && get(state, first + place) < get(state, second + place)) return state;
  other.set(state);
  other.copyWithin(first, second, second + PRUNER_FIELDS);
  for (let field = 0; field < PRUNER_FIELDS; field++) other[second + field] = get(state, first + field);
  for (const field of [at.voids, at.doomedPacks, at.doomedManifests]) {
    other[field] = get(state, field + 1);
    other[field + 1] = get(state, field);
  }
  if (place < PRUNER_FIELDS) return other;
  // Pruners that remember the same still differ in what they have written.
  for (const field of [at.voids, at.doomedPacks, at.doomedManifests]) {
    if (get(state, field) !== get(state, field + 1)) return get(state, field) < get(state, field + 1) ? state : other;
  }
  return state;
}

/** Whether the writer has taken all the looks that it takes at its predecessor. */
function afterLooks(state: State, rules: Rules): boolean {
  const step = get(state, at.writer);
  return step !== DONE && rules.writer.slice(step).every((left) => !PREDECESSOR_STEPS.has(left));
}

/** What must never be: see README.md, 'What counts as a loss'. */
function loss(state: State, scenario: Scenario, rules: Rules): string | undefined {
  if (get(state, at.broken) === BROKEN.reader) return 'a reader that passed its check misses a blob';
  if (get(state, at.broken) === BROKEN.predecessor) return 'a writer cannot place what it carries over';
  if (!scenario.sweep && afterLooks(state, rules) && carried(state, scenario) & ~blobsIn(state, get(state, at.packs))) {
    return 'a writer that passed its check misses a blob of its predecessor';
  }
  const standing = get(state, at.manifests) & get(state, at.seals);
  const reported = get(state, at.reported);
  const kept = scenario.kept === 0 ? 0 : K;
  if ((reported | kept) & ~standing) return 'a snapshot that succeeded has no manifest';
  if (reported & doomedManifestsNow(state)) return 'a snapshot that succeeded is doomed';
  const counted = standing & ~doomedManifestsNow(state) & (K | W1 | W2);
  if (needs(scenario, counted | reported) & ~blobsIn(state, get(state, at.packs))) return 'a snapshot lost a blob';
  return undefined;
}
