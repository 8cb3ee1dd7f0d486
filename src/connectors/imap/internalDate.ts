const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const PATTERN = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;

/** Milliseconds since 1970 UTC of an INTERNALDATE ('17-Jul-1996 02:44:25 -0700'); null for anything else. */
export function parseInternalDate(text: string): number | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, day, month = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const index = MONTHS.indexOf(month.toLowerCase());
  if (index < 0) return null;
  const at = new Date(0);
  // Unlike Date.UTC, this takes the years 0 to 99 as they are.
  at.setUTCFullYear(Number(year), index, Number(day));
  const local = at.setUTCHours(Number(hour), Number(minute), Number(second));
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return sign === '-' ? local + offset : local - offset;
}

/** The form that APPEND takes, in UTC; for mails whose own text of it is not known. */
export function formatInternalDate(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = MONTHS[at.getUTCMonth()] ?? 'jan';
  const name = (month[0]?.toUpperCase() ?? '') + month.slice(1);
  const date = `${two(at.getUTCDate())}-${name}-${String(at.getUTCFullYear()).padStart(4, '0')}`;
  return `${date} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}
