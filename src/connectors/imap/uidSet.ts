/** Writes ascending UIDs as an IMAP sequence set: '1:4,9'. */
export function formatUidSet(uids: ArrayLike<number>): string {
  const parts: string[] = [];
  for (let i = 0; i < uids.length;) {
    const first = uids[i] ?? 0;
    let last = first;
    while (++i < uids.length && uids[i] === last + 1) last++;
    parts.push(first === last ? String(first) : `${first}:${last}`);
  }
  return parts.join(',');
}

export type UidRange = readonly [first: number, last: number];

/** Reads a sequence set without '*', as servers send it; ranges may stand in either order. */
export function parseUidSet(set: string): UidRange[] {
  return set.split(',').filter((part) => part !== '').map((part) => {
    const [a = NaN, b = a] = part.split(':').map(Number);
    if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) throw new RangeError(`not a sequence set: ${part}`);
    return a <= b ? [a, b] : [b, a];
  });
}
