/**
 * A document's number in the index is its place in the order of time, so that the newest hits are the first that SQLite finds: whole
 * seconds, and twelve bits that tell those of one second apart.
 */
const SLOTS = 4096;
/** Seconds from the lowest date that has places of its own (1901) to 1970; before it is what has no date. */
const OFFSET = 2 ** 31;
const LATEST = 2 ** 34;

/** First and last place of the second that a date is in. */
export function placesOf(date: number | null): readonly [first: number, last: number] {
  const second = date === null || Number.isNaN(date) ? 0 : Math.max(1, Math.min(LATEST, Math.floor(date / 1000) + OFFSET));
  return [second * SLOTS, second * SLOTS + SLOTS - 1];
}
