import { findIana } from 'windows-iana';
import { timeOf } from '../items/documents.ts';

/** A local time in a zone, as Graph takes it. */
export interface ZonedTime {
  readonly dateTime: string;
  readonly timeZone: string;
}

const FORMATS = new Map<string, Intl.DateTimeFormat | undefined>();

/** A moment as the clocks of a zone show it; undefined for a zone that is not known. Zones have the names of Windows or of IANA. */
export function zonedTime(utc: number, timeZone: string): ZonedTime | undefined {
  if (timeZone === 'UTC') return { dateTime: asText(utc), timeZone };
  const format = formatOf(timeZone);
  if (format === undefined) return undefined;
  const { year, month, day, hour, minute, second } = Object.fromEntries(format.formatToParts(utc).map(({ type, value }) => [type, value]));
  return { dateTime: `${year?.padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}`, timeZone };
}

/** Milliseconds since 1970 of a time that a backup holds: in UTC. null for what is none. */
export function momentOf(time: unknown): number | null {
  const { dateTime } = (typeof time === 'object' && time !== null ? time : {}) as { dateTime?: unknown };
  return typeof dateTime === 'string' ? timeOf(dateTime) : null;
}

function asText(utc: number): string {
  return new Date(utc).toISOString().slice(0, 19);
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (FORMATS.has(timeZone)) return FORMATS.get(timeZone);
  let format: Intl.DateTimeFormat | undefined;
  try {
    const digits = '2-digit';
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: findIana(timeZone)[0] ?? timeZone, hourCycle: 'h23', year: 'numeric', month: digits, day: digits, hour: digits, minute: digits, second: digits,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  FORMATS.set(timeZone, format);
  return format;
}
