const SHARE = Number(process.env['HOLDFAST_SOAK_SHARE'] ?? 1);

/** A size of a soak, or what HOLDFAST_SOAK_SHARE (such as 0.02) makes of it: at least one. To see that a soak runs at all. */
export function soakSize(full: number): number {
  return Math.max(1, Math.round(full * SHARE));
}
