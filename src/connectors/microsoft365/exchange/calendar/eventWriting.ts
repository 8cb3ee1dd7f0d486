import type { ItemRow } from '../../../../domain/index.ts';
import type { WriteResult } from '../../../contract.ts';
import { idOf, textOf, type Entry } from '../../graph/pages.ts';
import { listOf, objectOf, readDocument } from '../items/documents.ts';
import { parseObject } from '../items/folders.ts';
import { attachMissing } from '../restore/keptAttachments.ts';
import { createOnce, EXPAND_ORIGIN, discardItem, originOfEntry, originProperty, patchItem, removeForGood } from '../restore/outlookItem.ts';
import type { FolderWriting, ItemWriting, Place, WrittenItem, Writing } from '../restore/partWriting.ts';
import { changedFields, stampOf, withTag } from '../restore/shapes.ts';
import { failed } from '../subTarget.ts';
import { calendarPlan, EVENT_OPTIONS } from './calendarPlan.ts';
import { attachToExceptions } from './eventAttachments.ts';
import { eventBody } from './eventBody.ts';
import { CALENDAR_PURPOSE, exceptionAttachments, SERIES_OPTIONS, SHOWN_ATTACHMENT } from './eventContent.ts';
import { listedEvent } from './eventItem.ts';
import { cancelledDates, eventShape, originalStart, PLAIN_FIELDS, WHOLE_FIELDS } from './eventShape.ts';
import { momentOf, zonedTime } from './zonedTime.ts';
import { writeOccurrences } from './seriesWriting.ts';

const WRITE_PURPOSE = 'write calendars (Calendars.ReadWrite)';
const SHOWN = `$expand=${encodeURIComponent(`attachments(${SHOWN_ATTACHMENT})`)}`;

const folders: FolderWriting = {
  source: calendarPlan.folders, purpose: WRITE_PURPOSE, isNested: false,
  wellKnown: (calendar) => (calendar['isDefaultCalendar'] === true ? 'default' : ''),
  createPath: (base) => `${base}/calendars`,
  path: (base, id) => `${base}/calendars/${encodeURIComponent(id)}`,
  fields: ({ color }) => (typeof color === 'string' ? { color } : {}),
  leave: (calendar) => (isForeign(calendar) ? failed('not-own', 'This calendar belongs to another mailbox. Restore it there, from the backup of that mailbox.') : undefined),
  isOwn: (calendar) => !isForeign(calendar),
};

/** Events come back as streams, with the people in them. Where there is none they are made without these: to invite them again would send mail. */
export const eventWriting: ItemWriting = {
  name: calendarPlan.name, kind: calendarPlan.kind, nouns: calendarPlan.nouns, readPurpose: CALENDAR_PURPOSE, writePurpose: WRITE_PURPOSE, folders,
  listPath: (base, folderId) => `${base}/calendars/${encodeURIComponent(folderId)}/events?${EVENT_OPTIONS}&${EXPAND_ORIGIN}`,
  shortPath: (base, { id, folderId }) => `${base}/calendars/${encodeURIComponent(folderId)}/events/${encodeURIComponent(id)}?${EVENT_OPTIONS}&${EXPAND_ORIGIN}`,
  listed: listedEvent,
  originOf: originOfEntry,
  shownPaths: (base, { id }, row) => [`${pathOf(base, id)}?${SHOWN}`, ...(isSeriesRow(row) ? [`${pathOf(base, id)}?${SERIES_OPTIONS}`] : [])],
  shape: eventShape,
  refuse: refuseMeeting,
  streams: {
    itemPath: pathOf,
    mayImport: (document, row) => !isHeard(document) || uidOf(row) !== '',
    isHeard,
    twinsPath: (base, row, folderId) => {
      const uid = uidOf(row);
      return uid === '' ? undefined : `${eventWriting.listPath(base, folderId)}&$filter=${encodeURIComponent(`iCalUId eq '${uid.replaceAll("'", "''")}'`)}`;
    },
    stampOfRow: ({ meta }) => textOf(parseObject(meta), 'stamp'),
  },
  make,
  mend,
  besideOf: async (_place, series, access, signal) => await exceptionAttachments(access, `${access.path}/events`, series, signal),
  attachmentsAt: (base, { id }) => `${pathOf(base, id)}/attachments`,
  discard: async ({ id }, access, signal) => await discardItem(access, pathOf(access.path, id), eventWriting, signal),
  remove: async ({ id }, access, signal) => await removeForGood(access, pathOf(access.path, id), eventWriting, signal),
};

function pathOf(base: string, id: string): string {
  return `${base}/events/${encodeURIComponent(id)}`;
}

/** Only who owns a calendar may share it. */
function isForeign({ canShare }: Entry): boolean {
  return canShare === false;
}

function isSeriesRow({ meta }: Pick<ItemRow, 'meta'>): boolean {
  return parseObject(meta)['series'] === true;
}

/** Only the organizer's changes are told to others. */
function isHeard(document: Entry): boolean {
  return listOf(document, 'attendees').length > 0 && document['isOrganizer'] !== false;
}

function uidOf({ meta }: ItemRow): string {
  return textOf(parseObject(meta), 'uid');
}

function refuseMeeting(standing: Entry): WriteResult | undefined {
  if (listOf(standing, 'attendees').length === 0) return undefined;
  return failed('meeting-stands', 'This meeting is not as it was backed up. It stays as it is, since Microsoft 365 would send mail to the people in it if it were changed. `--mode separate` puts what it was beside.');
}

async function make(document: Entry, writing: Writing): Promise<WrittenItem> {
  const { access: { path }, folderId, losses, tag } = writing;
  const body = eventBody(document, tag, losses);
  const hasMore = listOf(document, 'attachments').length > 0 || hasOccurrences(document);
  const stamp = writing.stampOf(alone(document));
  const list = `${path}/calendars/${encodeURIComponent(folderId)}/events`;
  const made = await createOnce(eventWriting, { list, item: (id) => pathOf(path, id) }, body, writing.origin(stamp, !hasMore), writing);
  const now = await mendHour(made, document, writing);
  if (hasMore) await writeMore(idOf(made), document, [], writing);
  return { id: idOf(made), shown: await settle(idOf(made), hasMore ? undefined : now, hasMore ? '' : stamp, document, writing) };
}

/** An event as it is while nothing belongs to it, and nobody. */
function alone(document: Entry): Entry {
  return { ...document, attendees: [], attachments: [], exceptionOccurrences: [], cancelledOccurrences: [] };
}

function hasOccurrences(document: Entry): boolean {
  return listOf(document, 'exceptionOccurrences').length > 0 || cancelledDates(document).length > 0;
}

/** Of the hour that comes twice when clocks go back a local time tells neither: then the event is told in UTC, or for a series named. */
async function mendHour(made: Entry, document: Entry, { access, losses, signal }: Writing): Promise<Entry> {
  const [start, end] = [momentOf(document['start']), momentOf(document['end'])];
  if (start === null || end === null || (momentOf(made['start']) === start && momentOf(made['end']) === end)) return made;
  if (textOf(made, 'type') === 'seriesMaster') {
    losses.add('time-shifted', 'the hour at which it begins or ends');
    return made;
  }
  return await patchItem(access, pathOf(access.path, idOf(made)), { start: zonedTime(start, 'UTC'), end: zonedTime(end, 'UTC') }, eventWriting, signal);
}

/** What follows the event itself: attachments, and the occurrences of a series that differ. */
async function writeMore(id: string, document: Entry, attached: readonly Entry[], writing: Writing): Promise<void> {
  const events = `${writing.access.path}/events`;
  await attachMissing({ at: `${events}/${encodeURIComponent(id)}/attachments`, purpose: WRITE_PURPOSE }, listOf(document, 'attachments'), attached, writing);
  if (!hasOccurrences(document)) return;
  const ids = await writeOccurrences({ events, masterId: id, readPurpose: CALENDAR_PURPOSE, writePurpose: WRITE_PURPOSE }, document, writing);
  await attachToExceptions(events, document, ids, writing, WRITE_PURPOSE);
}

/** Notes how the event is now, so that another run knows it again, and returns it as it is then. `shown`: its document; undefined: it has to be asked for. `noted`: what it says already. */
async function settle(id: string, shown: Entry | undefined, noted: string, document: Entry, writing: Writing): Promise<Entry> {
  const now = shown ?? await shownEvent(id, document, writing);
  const stamp = writing.stampOf(now);
  return stamp === noted ? now : await patchItem(writing.access, pathOf(writing.access.path, id), originProperty(writing.origin(stamp, true)), eventWriting, writing.signal);
}

async function shownEvent(id: string, document: Entry, { access: { graph, budget, path }, signal }: Writing): Promise<Entry> {
  const options = { purpose: CALENDAR_PURPOSE, budget, signal };
  const shown = await readDocument(graph, `${pathOf(path, id)}?${SHOWN}`, options);
  return textOf(document, 'type') === 'seriesMaster' ? { ...shown, ...await readDocument(graph, `${pathOf(path, id)}?${SERIES_OPTIONS}`, options) } : shown;
}

/** Which occurrences of a series are not as the series has them. */
function daysThatDiffer(document: Entry): string {
  return JSON.stringify([cancelledDates(document), listOf(document, 'exceptionOccurrences').map(originalStart).sort((a, b) => a - b)]);
}

/** What differs is written. A series whose occurrences differ gets its recurrence again, which forgets all that was done to single ones, and then what was done to them. */
async function mend({ id }: Place, document: Entry, standing: Entry, writing: Writing): Promise<Entry> {
  const { access, losses, tag, signal } = writing;
  const body = eventBody(document, tag, losses);
  const wanted = { ...document, categories: withTag(document['categories'], tag) } as Entry;
  const [before, after] = [eventShape(standing), eventShape(document)];
  const differs = (...names: readonly string[]): boolean => names.some((name) => stampOf({ value: before[name] }) !== stampOf({ value: after[name] }));
  const isAnew = differs('start', 'end', 'zone', 'isAllDay', 'recurrence', 'exceptions', 'cancelled');
  const isSeries = before['recurrence'] !== null || after['recurrence'] !== null;
  const times = { start: body['start'], end: body['end'], isAllDay: body['isAllDay'], ...(isSeries ? { recurrence: body['recurrence'] ?? null } : {}) };
  const changes = {
    ...changedFields(standing, wanted, [...PLAIN_FIELDS, ...WHOLE_FIELDS]), ...(isAnew ? times : {}), ...(differs('body') ? { body: objectOf(document, 'body') } : {}),
    ...('singleValueExtendedProperties' in body ? { singleValueExtendedProperties: body['singleValueExtendedProperties'] } : {}),
  };
  if (Object.keys(changes).length > 0) await patchItem(access, pathOf(access.path, id), changes, eventWriting, signal);
  await writeMore(id, isAnew ? document : { ...document, exceptionOccurrences: [], cancelledOccurrences: [] }, listOf(standing, 'attachments'), writing);
  const now = await shownEvent(id, document, writing);
  if (isAnew && daysThatDiffer(now) !== daysThatDiffer(document) && !losses.codes.includes('occurrence-lost')) {
    losses.add('occurrence-lost', 'how some of its occurrences were: Microsoft 365 kept changes that were made to them since');
  }
  return await settle(id, now, '', document, writing);
}
