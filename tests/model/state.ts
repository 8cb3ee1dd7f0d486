/**
 * The model's state: what stands in the bucket, then what each actor remembers. One byte a field; sets are bit masks:
 * - blobs: bit 0 is a, bit 1 is b
 * - packs 0..7: see {@link PACK}
 * - manifests: see the bits below
 */
export const K = 1; // a snapshot that the policy keeps
export const O = 2; // an old one that it does not keep
export const W1 = 4; // the writer's first manifest
export const W2 = 8; // its second: of a retry, or of a rerun after a crash
export const NAMES: Readonly<Record<number, string>> = { [K]: 'K', [O]: 'O', [W1]: 'W1', [W2]: 'W2', 0: 'none' };

/** 0..1 stand at the start, 2..5 are the writer's, 6 and 7 what each pruner rewrites. */
export const PACK = { writerFirst: 2, writerLast: 5, rewritten: [6, 7] } as const;
export const PACKS = 8;

/** Fields of the bucket. */
export const at = {
  packs: 0,
  /** What each pack holds (or held: names are never used again). */
  contents: 1,
  manifests: 9,
  seals: 10,
  /** Voids by pruner, and doomed records by pruner: packs, manifests. */
  voids: 11,
  doomedPacks: 13,
  doomedManifests: 15,
  /** Pins by session: the writer's run, its rerun, the reader. */
  pins: 17,
  /** Not in the bucket: manifests whose success was reported, and what an actor found missing. */
  reported: 20,
  broken: 21,
  writer: 22,
  pruners: 30,
  reader: 54,
} as const;

export const PRUNER_FIELDS = 12;
export const STATE_SIZE = 60;

/** What an actor itself can find broken. */
export const BROKEN = { reader: 1, predecessor: 2 } as const;

export type State = Uint8Array;

export function get(state: State, field: number): number {
  return state[field] ?? 0;
}

/** The blobs in `packs`. */
export function blobsIn(state: State, packs: number): number {
  let blobs = 0;
  for (let pack = 0; pack < PACKS; pack++) if (packs & (1 << pack)) blobs |= get(state, at.contents + pack);
  return blobs;
}

/** Those of `packs` that hold one of `blobs`. */
export function packsWith(state: State, packs: number, blobs: number): number {
  let holding = 0;
  for (let pack = 0; pack < PACKS; pack++) {
    if (packs & (1 << pack) && get(state, at.contents + pack) & blobs) holding |= 1 << pack;
  }
  return holding;
}

export const voidsNow = (state: State): number => get(state, at.voids) | get(state, at.voids + 1);
export const doomedPacksNow = (state: State): number => get(state, at.doomedPacks) | get(state, at.doomedPacks + 1);
export const doomedManifestsNow = (state: State): number =>
  get(state, at.doomedManifests) | get(state, at.doomedManifests + 1);
/** Which pruners have a doomed record that names something: bit 0 and 1. */
export const recordsNow = (state: State): number =>
  (get(state, at.doomedPacks) | get(state, at.doomedManifests) ? 1 : 0) |
  (get(state, at.doomedPacks + 1) | get(state, at.doomedManifests + 1) ? 2 : 0);
export const pinsNow = (state: State): number =>
  get(state, at.pins) | get(state, at.pins + 1) | get(state, at.pins + 2);

export const lowestBit = (mask: number): number => mask & -mask;
