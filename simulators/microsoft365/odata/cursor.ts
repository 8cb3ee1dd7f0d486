/** A place in a list that is ordered by rank, highest first, then by key. It outlives changes of the list: the next page begins after it. */
export interface Cursor {
  readonly rank: number;
  readonly key: string;
}

export interface Ranked {
  readonly rank: number;
  readonly key: string;
}

/** Below zero where `a` comes first. */
export function compareRanked(a: Ranked, b: Ranked): number {
  return b.rank - a.rank || (a.key < b.key ? -1 : Number(a.key > b.key));
}
