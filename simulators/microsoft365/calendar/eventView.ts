import type { Call } from '../server/call.ts';
import { isoSeconds } from '../server/clock.ts';
import { badRequest } from '../server/graphFailure.ts';
import { expandExtended } from '../mailbox/extendedProperties.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { attachmentDocument, changeKeyOf, itemDocument } from '../mailbox/showItem.ts';
import type { ItemView } from '../mailbox/shelfListing.ts';
import type { Properties } from '../odata/list.ts';
import { expandedList, shape } from '../odata/shape.ts';
import { textOfHtml } from '../seed/texts.ts';
import { calendarDocument } from './calendarView.ts';
import { isSeries, occurrenceOf, occurrencesIn } from './occurrences.ts';
import type { Occurrence, Window } from './occurrences.ts';
import { isTimeZone, toUtc, toZoned } from './timeZones.ts';
import type { ZonedTime } from './timeZones.ts';

const ITEM = Symbol('item');
/** What Calendars.ReadBasic leaves out. */
const NOT_BASIC = ['body', 'bodyPreview', 'attachments'];
const ALWAYS: Window = { from: Date.UTC(1990, 0), to: Date.UTC(2100, 0) };

/** How events are shown to this call: times in the zone that it prefers, UTC unless told. */
export function eventView(call: Call, mailbox: Mailbox): ItemView {
  return {
    type: 'event',
    document: (item, folder) => finish(call, {
      ...itemDocument(call, mailbox, item), seriesMasterId: null, type: isSeries(item) ? 'seriesMaster' : 'singleInstance',
      ...(isSeries(item) ? { cancelledOccurrences: cancelledIds(call, mailbox, item) } : {}),
    }, item, folder),
    shape: (document, query) => shape({ type: 'event', hidden: ['cancelledOccurrences'], expand: expansions(call, mailbox, document) }, document, query),
  };
}

/** One occurrence or exception. Its id and the master's are of the kind that the call prefers. */
export function occurrenceDocument(call: Call, mailbox: Mailbox, item: Item, folder: Folder, occurrence: Occurrence): Properties {
  const { immutableIds } = call.prefer;
  const changeKey = changeKeyOf(mailbox, `${item.key}@${occurrence.date}`, occurrence.version);
  return finish(call, {
    '@odata.etag': `W/"${changeKey}"`, id: mailbox.ids.item(item.key, item.moves, immutableIds, occurrence.date), createdDateTime: isoSeconds(item.created),
    lastModifiedDateTime: isoSeconds(occurrence.modified), changeKey, ...occurrence.properties, seriesMasterId: mailbox.ids.item(item.key, item.moves, immutableIds), type: occurrence.type,
  }, item, folder);
}

/** The event of an id: an occurrence where the id names one. */
export function foundDocument(call: Call, mailbox: Mailbox, found: { item: Item; folder: Folder; date: string | undefined }): Properties | undefined {
  if (found.date === undefined) return eventView(call, mailbox).document(found.item, found.folder);
  const occurrence = isSeries(found.item) ? occurrenceOf(found.item, found.date) : undefined;
  return occurrence === undefined ? undefined : occurrenceDocument(call, mailbox, found.item, found.folder, occurrence);
}

function finish(call: Call, document: Properties, item: Item, folder: Folder): Properties {
  const zone = call.prefer.timeZone ?? 'UTC';
  if (!isTimeZone(zone)) throw badRequest(`The time zone '${zone}' is not known.`, 'ErrorInvalidTimeZone');
  const body = document['body'] as { contentType?: string; content?: string } | undefined;
  const isBasic = !call.granted.has('Calendars.Read') && !call.granted.has('Calendars.ReadWrite');
  const shown = isBasic ? Object.fromEntries(Object.entries(document).filter(([name]) => !NOT_BASIC.includes(name))) : document;
  return {
    ...shown,
    ...(call.prefer.textBodies && body?.contentType === 'html' && !isBasic ? { body: { contentType: 'text', content: textOfHtml(body.content ?? '') } } : {}),
    start: inZone(document['start'] as ZonedTime, zone), end: inZone(document['end'] as ZonedTime, zone), [ITEM]: { item, folder },
  };
}

function inZone(time: ZonedTime, zone: string): ZonedTime {
  return time.timeZone === zone ? time : toZoned(toUtc(time), zone);
}

function expansions(call: Call, mailbox: Mailbox, document: Properties): Parameters<typeof shape>[0]['expand'] & object {
  const source = (document as { [ITEM]?: { item: Item; folder: Folder } })[ITEM];
  if (source === undefined) throw new Error('an event was shown that came from no item');
  const { item, folder } = source;
  return {
    attachments: (expansion) => expandedList(item.attachments.map((attachment) => attachmentDocument(mailbox, item, attachment, true)), expansion),
    calendar: () => calendarDocument(mailbox, folder),
    exceptionOccurrences: (expansion) => expandedList(exceptionsOf(item).map((occurrence) => occurrenceDocument(call, mailbox, item, folder, occurrence)), expansion),
    singleValueExtendedProperties: (expansion) => expandExtended(item, [], expansion),
    multiValueExtendedProperties: (expansion) => expandExtended(item, [], expansion),
  };
}

/** Fact 62: exceptions are few and known; occurrences may have no end. */
function exceptionsOf(item: Item): Occurrence[] {
  if (!isSeries(item) || item.series === undefined || item.series.exceptions.size === 0) return [];
  return [...occurrencesIn({ ...item, properties: item.properties }, { ...ALWAYS, to: Math.max(...[...item.series.exceptions.keys()].map((date) => Date.parse(date))) + 400 * 86_400_000 })]
    .filter(({ type }) => type === 'exception');
}

function cancelledIds(call: Call, mailbox: Mailbox, item: Item): string[] {
  const master = mailbox.ids.item(item.key, item.moves, call.prefer.immutableIds);
  return [...item.series?.cancelled ?? []].toSorted().map((date) => `OID.${master}.${date}`);
}
