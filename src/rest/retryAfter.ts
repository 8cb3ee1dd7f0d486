/**
 * The wait that an answer asks for, in milliseconds; undefined where it asks for none. Seconds may have a fraction
 * (2.128 was seen), and a date counts from `now`.
 */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  // Date.parse takes many a text for a date that is none: '-1'.
  const date = /^[A-Za-z]{3},? .*GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
