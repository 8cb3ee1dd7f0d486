import { batch } from '../../graph/batch.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { entriesOf, idOf, textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf } from '../items/documents.ts';
import type { Writing } from '../restore/partWriting.ts';
import { changedFields, withTag } from '../restore/shapes.ts';
import { eventTimes } from './eventBody.ts';
import { cancelledDates, originalStart, PLAIN_FIELDS } from './eventShape.ts';
import { zonedTime } from './zonedTime.ts';

const DAY = 86_400_000;

export interface SeriesAccess {
  /** '/users/…/events' */
  readonly events: string;
  readonly masterId: string;
  readonly readPurpose: string;
  readonly writePurpose: string;
}

/**
 * Gives a series that has none yet its cancelled days and its exceptions (fact 63): each is looked for among the occurrences of its days. Returns ids of the exceptions, by
 * their ids in the backup. What is not there or is refused is lost, and named.
 */
export async function writeOccurrences(series: SeriesAccess, document: Entry, writing: Writing): Promise<ReadonlyMap<string, string>> {
  const exceptions = listOf(document, 'exceptionOccurrences');
  const dates = cancelledDates(document);
  const zone = textOf(document, 'originalStartTimeZone') || 'UTC';
  const dayOf = (occurrence: Entry): string => zonedTime(originalStart(occurrence), zone)?.dateTime.slice(0, 10) ?? textOf(occurrence, 'originalStart').slice(0, 10);
  // A day of any zone lies within these.
  const around = (time: number): readonly [number, number] => [time - DAY, time + 2 * DAY];
  const found = await occurrencesIn(series, [...dates.map((date) => around(Date.parse(date))), ...exceptions.map((one) => around(originalStart(one)))], writing);
  for (const [place, date] of dates.entries()) {
    const occurrence = found[place]?.find((one) => dayOf(one) === date);
    await attempt(`the day ${date}, which was cancelled`, occurrence, writing, async (id) => await cancel(series, id, writing));
  }
  const ids = new Map<string, string>();
  for (const [place, exception] of exceptions.entries()) {
    const occurrence = found[dates.length + place]?.find((one) => originalStart(one) === originalStart(exception));
    const at = textOf(exception, 'originalStart');
    await attempt(`the change of its occurrence of ${at}`, occurrence, writing, async (id) => {
      await change(series, id, exception, document, writing);
      ids.set(idOf(exception), id);
    });
  }
  return ids;
}

async function occurrencesIn({ events, masterId, readPurpose }: SeriesAccess, windows: readonly (readonly [number, number])[], { access, signal }: Writing): Promise<readonly (readonly Entry[])[]> {
  const { graph, budget, runtime: { random, sleep, attempts } } = access;
  const path = (from: number, to: number): string => `${events}/${encodeURIComponent(masterId)}/instances?startDateTime=${new Date(from).toISOString()}&endDateTime=${new Date(to).toISOString()}&$select=id,originalStart,start&$top=200`;
  const results = await batch(graph, windows.map(([from, to]) => ({ path: path(from, to) })), { purpose: readPurpose, budget, signal, random, sleep, attempts });
  return results.map((result) => {
    if ('error' in result) throw result.error;
    return entriesOf(result.document);
  });
}

async function attempt(what: string, occurrence: Entry | undefined, { losses, signal }: Writing, act: (id: string) => Promise<void>): Promise<void> {
  try {
    if (occurrence !== undefined) await act(idOf(occurrence));
    else losses.add('occurrence-lost', `${what}: the series has no occurrence there`);
  } catch (error) {
    signal.throwIfAborted();
    if (!hasCode(error, 'refused', 'not-found')) throw error;
    losses.add('occurrence-lost', `${what}: ${error.message}`);
  }
}

/** Only of a series without attendees: else others would get mail. */
async function cancel({ events, writePurpose }: SeriesAccess, id: string, { access: { graph, budget }, signal }: Writing): Promise<void> {
  await graph.remove(`${events}/${encodeURIComponent(id)}`, { purpose: writePurpose, budget, signal }).catch((error: unknown) => {
    if (!hasCode(error, 'not-found')) throw error;
  });
}

/** What of an exception differs from its series, and its times. */
async function change({ events, writePurpose }: SeriesAccess, id: string, exception: Entry, master: Entry, { access: { graph, budget }, losses, tag, signal }: Writing): Promise<void> {
  const { start, end } = eventTimes({ originalStartTimeZone: master['originalStartTimeZone'], originalEndTimeZone: master['originalEndTimeZone'], ...exception, recurrence: null }, losses);
  const body = objectOf(exception, 'body')['content'] === objectOf(master, 'body')['content'] ? {} : { body: exception['body'] };
  const wanted = { ...exception, categories: withTag(exception['categories'], tag) };
  const series = { ...master, categories: withTag(master['categories'], tag) };
  await graph.patch(`${events}/${encodeURIComponent(id)}`, { ...changedFields(series, wanted, PLAIN_FIELDS), ...body, start, end }, { purpose: writePurpose, budget, signal });
}
