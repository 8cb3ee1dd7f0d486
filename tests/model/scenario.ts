import { at, K, O, PRUNER_FIELDS, STATE_SIZE, W1, W2 } from './state.ts';
import type { State } from './state.ts';

/** What stands at the start and who takes part. Blobs are masks: 1 is a, 2 is b. */
export interface Scenario {
  readonly name: string;
  /** What the first packs hold. */
  readonly packs: readonly number[];
  /** What each manifest needs; W1 and W2 need the same. */
  readonly kept: number;
  readonly old: number;
  readonly written: number;
  /** The snapshot that the writer builds on, 0 for none. What both hold is carried over without its bytes at hand. */
  readonly predecessor: number;
  readonly writer: boolean;
  readonly crash: boolean;
  /** Whether somebody may delete the writer's pins at any time, as too old. */
  readonly sweep: boolean;
  /** Snapshots that a session which is long gone has left pinned. */
  readonly pinned: number;
  readonly pruners: 0 | 1 | 2;
  /** Snapshots that the reader may choose; none: there is no reader. */
  readonly read: readonly number[];
  /** Whether a pruner may rewrite or drop packs that are not dead, one a run. */
  readonly rewrites: boolean;
}

export const DONE = 255;

export function needs(scenario: Scenario, manifests: number): number {
  let blobs = 0;
  if (manifests & K) blobs |= scenario.kept;
  if (manifests & O) blobs |= scenario.old;
  if (manifests & (W1 | W2)) blobs |= scenario.written;
  return blobs;
}

export function initialState(scenario: Scenario): State {
  const state = new Uint8Array(STATE_SIZE);
  scenario.packs.forEach((blobs, pack) => {
    state[at.packs] = (state[at.packs] ?? 0) | (1 << pack);
    state[at.contents + pack] = blobs;
  });
  state[at.manifests] = (scenario.kept ? K : 0) | (scenario.old ? O : 0);
  state[at.seals] = state[at.manifests] ?? 0;
  state[at.pins] = scenario.pinned;
  if (!scenario.writer) state[at.writer] = DONE;
  for (let pruner = scenario.pruners; pruner < 2; pruner++) state[at.pruners + pruner * PRUNER_FIELDS] = DONE;
  if (scenario.read.length === 0) state[at.reader] = DONE;
  return state;
}
