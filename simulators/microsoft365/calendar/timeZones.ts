import { badRequest } from '../server/graphFailure.ts';

/** The names that the service prefers, and what they are elsewhere. */
const WINDOWS: Readonly<Record<string, string>> = {
  UTC: 'UTC', 'W. Europe Standard Time': 'Europe/Berlin', 'Romance Standard Time': 'Europe/Paris', 'GMT Standard Time': 'Europe/London', 'Central Europe Standard Time': 'Europe/Budapest',
  'Pacific Standard Time': 'America/Los_Angeles', 'Mountain Standard Time': 'America/Denver', 'Central Standard Time': 'America/Chicago', 'Eastern Standard Time': 'America/New_York',
  'Tokyo Standard Time': 'Asia/Tokyo', 'India Standard Time': 'Asia/Kolkata', 'AUS Eastern Standard Time': 'Australia/Sydney', 'China Standard Time': 'Asia/Shanghai',
};
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** A local time in a zone, as events carry it. */
export interface ZonedTime {
  readonly dateTime: string;
  readonly timeZone: string;
}

export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Milliseconds since 1970 of a local time. In the hour that a change of the clock leaves out, the time after it. */
export function toUtc({ dateTime, timeZone }: ZonedTime): number {
  const asUtc = Date.parse(`${dateTime.replace(/Z$/, '').slice(0, 23)}Z`);
  if (Number.isNaN(asUtc)) throw badRequest(`'${dateTime}' is no time.`, 'ErrorInvalidRequest');
  if (timeZone === 'UTC') return asUtc;
  const first = asUtc - offsetAt(asUtc, timeZone);
  return asUtc - offsetAt(first, timeZone);
}

/** The local time at a moment, with the seven digits that the service shows. */
export function toZoned(utc: number, timeZone: string): ZonedTime {
  const local = new Date(utc + (timeZone === 'UTC' ? 0 : offsetAt(utc, timeZone))).toISOString();
  return { dateTime: `${local.slice(0, 19)}.0000000`, timeZone };
}

function offsetAt(utc: number, timeZone: string): number {
  const parts = Object.fromEntries(formatOf(timeZone).formatToParts(utc).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute, second } = parts;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) - Math.floor(utc / 1000) * 1000;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = FORMATS.get(timeZone);
  if (format === undefined) {
    const options = { hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const;
    format = new Intl.DateTimeFormat('en-US', { ...options, timeZone: WINDOWS[timeZone] ?? timeZone });
    FORMATS.set(timeZone, format);
  }
  return format;
}
