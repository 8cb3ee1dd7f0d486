/** The operations of each actor. Every word is one storage operation, but for 'report' and 'spare', which are none. */
export type WriterStep =
  | 'listPacks' | 'listDoomed' | 'putPin' | 'lookAtPredecessor' | 'lookAtDoomedPredecessor' | 'putPack'
  | 'deletePinEarly' | 'putManifest' | 'lookAtPin' | 'listDoomedAgain' | 'listPacksAgain' | 'putPackAgain'
  | 'putSeal' | 'lookAtVoid' | 'lookAtManifest' | 'report' | 'deletePin';

export type PrunerStep =
  | 'listRoots' | 'putVoid' | 'lookAtSeal' | 'withdrawVoid' | 'listPacks' | 'putRewritten' | 'putDoomed'
  | 'listPinsAgain' | 'listManifestsAgain' | 'listDoomed' | 'listPacksAgain' | 'spare' | 'putReduced'
  | 'deleteManifest' | 'deletePack' | 'deleteVoid' | 'deleteRecord';

export type ReaderStep =
  | 'putPin' | 'lookAtSeal' | 'lookAtManifest' | 'lookAtDoomed' | 'listPacks' | 'read' | 'deletePin';

export interface Rules {
  readonly writer: readonly WriterStep[];
  readonly pruner: readonly PrunerStep[];
  readonly reader: readonly ReaderStep[];
  /** Each pruner writes, and takes back, voids, doomed records under a name of its own; each session pins likewise. */
  readonly ownVoids: boolean;
  readonly ownRecords: boolean;
  readonly ownPins: boolean;
  /** Whether the writer's index leaves out packs that stand in a doomed record. */
  readonly indexWithoutDoomed: boolean;
  /** When the writer looks whether its packs stand; 'unless-noted': not while a record that it saw first stands. */
  readonly standingLook: 'always' | 'unless-noted';
  /** Whether a pruner takes its void back where it finds the manifest sealed. */
  readonly withdraws: boolean;
  /** Whether what is carried over must stand in a pack that no record names, as new blobs must. */
  readonly carriedNotDoomed: boolean;
  /** Whether a sealed manifest that another pruner has voided is still a root. */
  readonly voidedIsRoot: boolean;
  /** How often the reader may load its index again for a blob; 'while-new': as long as the new one names a pack. */
  readonly reloads: 0 | 1 | 'while-new';
}

export const corrected: Rules = {
  writer: [
    'listPacks', 'listDoomed', 'putPin', 'lookAtDoomedPredecessor', 'lookAtPredecessor', 'putPack',
    'putManifest', 'lookAtPin', 'listDoomedAgain', 'listPacksAgain', 'putPackAgain',
    'putSeal', 'lookAtVoid', 'lookAtManifest', 'report', 'deletePin',
  ],
  pruner: [
    'listRoots', 'putVoid', 'lookAtSeal', 'withdrawVoid', 'listPacks', 'putRewritten', 'putDoomed',
    'listPinsAgain', 'listManifestsAgain', 'listDoomed', 'listPacksAgain', 'spare', 'putReduced',
    'deleteManifest', 'deletePack', 'deleteVoid', 'deleteRecord',
  ],
  reader: ['putPin', 'lookAtSeal', 'lookAtDoomed', 'lookAtManifest', 'listPacks', 'read', 'deletePin'],
  ownVoids: true,
  ownRecords: true,
  ownPins: true,
  indexWithoutDoomed: true,
  standingLook: 'always',
  withdraws: true,
  carriedNotDoomed: false,
  voidedIsRoot: true,
  reloads: 'while-new',
};

type Actor = 'writer' | 'pruner' | 'reader';

/** The rules with one step left out. */
export function without(rules: Rules, actor: Actor, step: string): Rules {
  const steps: readonly string[] = rules[actor];
  if (!steps.includes(step)) throw new Error(`${actor} has no step ${step}`);
  return { ...rules, [actor]: steps.filter((other) => other !== step) };
}

/** The rules with one step moved to just before another. */
export function moved(rules: Rules, actor: Actor, step: string, before: string): Rules {
  const steps: readonly string[] = without(rules, actor, step)[actor];
  const place = steps.indexOf(before);
  if (place < 0) throw new Error(`${actor} has no step ${before}`);
  return { ...rules, [actor]: [...steps.slice(0, place), step, ...steps.slice(place)] };
}
