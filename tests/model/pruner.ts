import type { PrunerStep, Rules } from './rules.ts';
import { DONE, needs } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import {
  at, blobsIn, get, lowestBit, NAMES, O, PACK, packsWith, pinsNow, PRUNER_FIELDS, voidsNow, W1, W2,
} from './state.ts';
import type { State } from './state.ts';

type Emit = (label: string, successor: State) => void;

/** What a pruner remembers, from its first field. */
const my = {
  step: 0,
  /** Unsealed manifests that it has still to retire; the one at hand was sealed after all. */
  unsealed: 1,
  sealedAfterAll: 2,
  /** Manifests to delete, and packs. */
  retired: 3,
  plan: 4,
  rewritten: 5,
  roots: 6,
  pinned: 7,
  others: 8,
  standing: 9,
  reduced: 10,
} as const;

interface Turn {
  readonly state: State;
  readonly pruner: number;
  readonly base: number;
  readonly scenario: Scenario;
  readonly rules: Rules;
}

const read = (turn: Turn, field: number): number => get(turn.state, turn.base + field);
function write(turn: Turn, field: number, value: number): void {
  turn.state[turn.base + field] = value;
}
const recordOf = (turn: Turn): number => (turn.rules.ownRecords ? turn.pruner : 0);
const voidsOf = (turn: Turn): number => at.voids + (turn.rules.ownVoids ? turn.pruner : 0);

function finish(turn: Turn): void {
  turn.state.fill(0, turn.base, turn.base + PRUNER_FIELDS);
  write(turn, my.step, DONE);
}

function putRecord(turn: Turn): void {
  turn.state[at.doomedPacks + recordOf(turn)] = read(turn, my.plan);
  turn.state[at.doomedManifests + recordOf(turn)] = read(turn, my.retired);
}

/** Each does its operation in place and names it, undefined when it has none to do. The step is already the next. */
const acts: Record<Exclude<PrunerStep, 'listPacks'>, (turn: Turn) => string | undefined> = {
  listRoots: (turn) => {
    const { state, rules } = turn;
    const standing = get(state, at.manifests);
    const pinned = pinsNow(state) & standing;
    const voided = rules.voidedIsRoot ? 0 : voidsNow(state) & get(state, at.seals) & standing & (W1 | W2);
    write(turn, my.unsealed, standing & ~get(state, at.seals) & ~pinned);
    write(turn, my.retired, ((standing & O) | voided) & ~pinned);
    write(turn, my.roots, standing);
    return 'LIST manifests, seals, pins';
  },
  putVoid: (turn) => {
    const manifest = lowestBit(read(turn, my.unsealed));
    if (manifest === 0) return undefined;
    const field = voidsOf(turn);
    turn.state[field] = get(turn.state, field) | manifest;
    return `PUT void ${NAMES[manifest]}`;
  },
  lookAtSeal: (turn) => {
    const manifest = lowestBit(read(turn, my.unsealed));
    if (manifest === 0) return undefined;
    write(turn, my.sealedAfterAll, get(turn.state, at.seals) & manifest);
    return `look for the seal of ${NAMES[manifest]}`;
  },
  withdrawVoid: (turn) => {
    const manifest = lowestBit(read(turn, my.unsealed));
    if (manifest === 0) return undefined;
    const sealed = read(turn, my.sealedAfterAll) !== 0;
    write(turn, my.sealedAfterAll, 0);
    write(turn, my.unsealed, read(turn, my.unsealed) & ~manifest);
    write(turn, my.step, turn.rules.pruner.indexOf('listRoots') + 1);
    if (!sealed) write(turn, my.retired, read(turn, my.retired) | manifest);
    if (!sealed || !turn.rules.withdraws) return undefined;
    const field = voidsOf(turn);
    turn.state[field] = get(turn.state, field) & ~manifest;
    return `DELETE its void ${NAMES[manifest]}`;
  },
  putRewritten: (turn) => {
    const blobs = read(turn, my.rewritten);
    if (blobs === 0) return undefined;
    // The bytes are read first: with a pack gone there is nothing to rewrite, and the run ends.
    if (blobs & ~blobsIn(turn.state, get(turn.state, at.packs))) {
      finish(turn);
      return 'gives up: nothing to rewrite';
    }
    const pack = PACK.rewritten[turn.pruner] ?? 0;
    turn.state[at.packs] = get(turn.state, at.packs) | (1 << pack);
    turn.state[at.contents + pack] = blobs;
    return `PUT rewritten pack ${pack} {${blobs}}`;
  },
  putDoomed: (turn) => {
    putRecord(turn);
    return `PUT doomed packs ${read(turn, my.plan).toString(2)} manifests ${read(turn, my.retired).toString(2)}`;
  },
  listPinsAgain: (turn) => {
    write(turn, my.pinned, pinsNow(turn.state));
    return 'LIST pins again';
  },
  listManifestsAgain: (turn) => {
    write(turn, my.roots, get(turn.state, at.manifests));
    return 'LIST manifests again';
  },
  listDoomed: (turn) => {
    const other = turn.rules.ownRecords ? 1 - turn.pruner : 0;
    write(turn, my.others, get(turn.state, at.doomedPacks + other));
    return 'LIST doomed';
  },
  listPacksAgain: (turn) => {
    write(turn, my.standing, get(turn.state, at.packs));
    return 'LIST packs again';
  },
  spare: (turn) => {
    const { state, scenario } = turn;
    const pinned = read(turn, my.pinned);
    const roots = (read(turn, my.roots) & ~read(turn, my.retired)) | pinned;
    const good = read(turn, my.standing) & ~read(turn, my.others) & ~read(turn, my.plan);
    const missing = needs(scenario, roots) & ~blobsIn(state, good);
    const spared = packsWith(state, read(turn, my.plan), missing);
    write(turn, my.reduced, spared !== 0 || (read(turn, my.retired) & pinned) !== 0 ? 1 : 0);
    write(turn, my.plan, read(turn, my.plan) & ~spared);
    write(turn, my.retired, read(turn, my.retired) & ~pinned);
    for (const field of [my.pinned, my.roots, my.others, my.standing, my.rewritten]) write(turn, field, 0);
    return undefined;
  },
  putReduced: (turn) => {
    if (read(turn, my.reduced) === 0) return undefined;
    write(turn, my.reduced, 0);
    putRecord(turn);
    return `PUT doomed, reduced to packs ${read(turn, my.plan).toString(2)}`;
  },
  deleteManifest: (turn) => {
    const manifests = read(turn, my.retired) & get(turn.state, at.manifests);
    if (manifests === 0) return undefined;
    turn.state[at.manifests] = get(turn.state, at.manifests) & ~lowestBit(manifests);
    write(turn, my.step, read(turn, my.step) - 1);
    return `DELETE manifest ${NAMES[lowestBit(manifests)]}`;
  },
  deletePack: (turn) => {
    const packs = read(turn, my.plan) & get(turn.state, at.packs);
    if (packs === 0) return undefined;
    turn.state[at.packs] = get(turn.state, at.packs) & ~lowestBit(packs);
    write(turn, my.step, read(turn, my.step) - 1);
    return `DELETE pack ${Math.log2(lowestBit(packs))}`;
  },
  deleteVoid: (turn) => {
    const field = voidsOf(turn);
    const gone = get(turn.state, field) & read(turn, my.retired);
    if (gone === 0) return undefined;
    turn.state[field] = get(turn.state, field) & ~gone;
    return 'DELETE its voids';
  },
  deleteRecord: (turn) => {
    turn.state[at.doomedPacks + recordOf(turn)] = 0;
    turn.state[at.doomedManifests + recordOf(turn)] = 0;
    return 'DELETE its doomed record';
  },
};

/** Every set of packs that a pruner may want to be rid of: all dead ones and, where allowed, one more. */
function plans(turn: Turn): { plan: number; rewritten: number }[] {
  const { state, scenario } = turn;
  const live = needs(scenario, read(turn, my.roots) & ~read(turn, my.retired));
  const packs = get(state, at.packs);
  const dead = packs & ~packsWith(state, packs, live);
  const found = [{ plan: dead, rewritten: 0 }];
  if (!scenario.rewrites) return found;
  for (let rest = packs & ~dead; rest !== 0; rest &= rest - 1) {
    const plan = dead | lowestBit(rest);
    const rewritten = live & ~blobsIn(state, packs & ~plan);
    const whole = rewritten === get(state, at.contents + Math.log2(lowestBit(rest)));
    // Rewriting a pack as it is gains nothing; one of the pruner's own making would take a second name for it.
    if (!whole) found.push({ plan, rewritten });
  }
  return found;
}

/** The next operation of one pruner; several where it has a choice. A crash is a pruner that takes no more steps. */
export function prunerSteps(
  state: State,
  pruner: number,
  scenario: Scenario,
  rules: Rules,
  scratch: State,
  emit: Emit,
): void {
  const base = at.pruners + pruner * PRUNER_FIELDS;
  if (get(state, base) === DONE) return;
  scratch.set(state);
  const turn: Turn = { state: scratch, pruner, base, scenario, rules };
  let label: string | undefined;
  let name = rules.pruner[get(scratch, base)];
  while (label === undefined && name !== undefined && name !== 'listPacks') {
    write(turn, my.step, read(turn, my.step) + 1);
    label = acts[name](turn);
    name = rules.pruner[get(scratch, base)];
  }
  if (label !== undefined) {
    if (name === undefined) finish(turn);
    emit(`pruner ${pruner}: ${label}`, scratch);
  } else if (name === 'listPacks') choosePlan(turn, emit);
  else {
    finish(turn);
    emit(`pruner ${pruner}: ends`, scratch);
  }
}

function choosePlan(turn: Turn, emit: Emit): void {
  const before = turn.state.slice();
  for (const { plan, rewritten } of plans(turn)) {
    turn.state.set(before);
    write(turn, my.step, read(turn, my.step) + 1);
    write(turn, my.plan, plan);
    write(turn, my.rewritten, rewritten);
    write(turn, my.standing, get(turn.state, at.packs));
    if (plan === 0 && read(turn, my.retired) === 0) finish(turn);
    emit(`pruner ${turn.pruner}: LIST packs, wants to be rid of ${plan.toString(2)}`, turn.state);
  }
}
