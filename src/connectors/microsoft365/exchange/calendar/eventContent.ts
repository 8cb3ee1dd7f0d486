import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import type { GraphClient, GraphOptions } from '../../graph/graphClient.ts';
import { hasCode, oddIfMissing } from '../../graph/graphErrors.ts';
import { idOf, pages, textOf, type Entry } from '../../graph/pages.ts';
import { expandExtended, listOf, objectOf, readDocument } from '../items/documents.ts';
import type { ContentAccess } from '../items/folderedService.ts';
import { idBehind } from '../items/itemSource.ts';
import { jsonContent, LISTED_ATTACHMENT, type Attached } from '../items/jsonContent.ts';
import { isCutAttachment, wholeContent } from '../items/wholeContent.ts';
import type { MailboxAccess } from '../subService.ts';
import { eventItem } from './eventItem.ts';

export const CALENDAR_PURPOSE = 'read calendars (Calendars.Read)';

/** Of MAPI, as MS-OXPROPS numbers them: class, the two ids by which meetings find each other, the recurrence as the store keeps it, and its time zones. */
const MEETING = '{6ED8DA90-450B-101B-98DA-00AA003F1305}';
const APPOINTMENT = '{00062002-0000-0000-C000-000000000046}';
/** A property of our own: who took part in a meeting that a restore made anew, as JSON or, of very many, their addresses. */
export const ATTENDEES_ID = 'String {6b1f0c52-9d0e-4e5a-8a39-5d1c1f6a7e21} Name HoldfastAttendees';
const EXTENDED = [
  'String 0x001A', `Binary ${MEETING} Id 0x3`, `Binary ${MEETING} Id 0x23`, `Binary ${APPOINTMENT} Id 0x8216`, `Binary ${APPOINTMENT} Id 0x8233`, `String ${APPOINTMENT} Id 0x8234`,
  ATTENDEES_ID,
];
export const SHOWN_ATTACHMENT = '$select=id,name,contentType,size,isInline,lastModifiedDateTime';
const WHOLE = `$expand=${encodeURIComponent(`attachments(${SHOWN_ATTACHMENT}),${expandExtended(EXTENDED)}`)}`;
/** Facts 61 and 62. Both are told only where they are selected, and of the one event that is asked for by its id. */
export const SERIES_OPTIONS = '$select=id,cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences';

/**
 * An event with all its properties: of a series the master, its exceptions and the dates that were cancelled, not the occurrences that follow from these
 * (fact 62). Attachments of the event are in `attachments`, those of exceptions in `@holdfast.exceptionAttachments`, each with the id of its exception.
 */
export async function eventContent({ access, base }: ContentAccess, listed: SourceItem, context: FetchContext): Promise<Fetched> {
  try {
    return await readEvent(access, `${base}/events`, listed, context);
  } catch (error) {
    if (!hasCode(error, 'not-found')) throw error;
    // What lies in a calendar of somebody else's is no event of this mailbox, but one of the calendar.
    return await readEvent(access, `${base}/calendars/${encodeURIComponent(idBehind('calendar/f/', listed.parent))}/events`, listed, context);
  }
}

async function readEvent(access: MailboxAccess, events: string, listed: SourceItem, context: FetchContext): Promise<Fetched> {
  const { graph, budget } = access;
  const options = { purpose: CALENDAR_PURPOSE, budget, signal: context.signal };
  const path = `${events}/${encodeURIComponent(idBehind('calendar/i/', listed.key))}`;
  const event = await readDocument(graph, `${path}?${WHOLE}`, options);
  const attachments: Attached[] = [];
  for (const entry of listOf(event, 'attachments')) attachments.push(await attachedOf(path, entry, graph, options));
  const document = textOf(event, 'type') === 'seriesMaster' ? { ...event, ...await seriesOf(path, graph, options) } : event;
  const lists = [
    { name: 'attachments', entries: attachments },
    { name: '@holdfast.exceptionAttachments', entries: await attachedToExceptions(listOf(document, 'exceptionOccurrences'), events, graph, options) },
  ];
  return await jsonContent(eventItem(listed, document), document, lists, { access, purpose: CALENDAR_PURPOSE, context });
}

async function seriesOf(path: string, graph: GraphClient, options: GraphOptions): Promise<Entry> {
  const { cancelledOccurrences = [], exceptionOccurrences = [] } = await readDocument(graph, `${path}?${SERIES_OPTIONS}`, options);
  return { cancelledOccurrences, exceptionOccurrences };
}

async function attachedToExceptions(exceptions: readonly Entry[], events: string, graph: GraphClient, options: GraphOptions): Promise<readonly Attached[]> {
  const found: Attached[] = [];
  for (const exception of exceptions.filter(mayHaveAttachments)) {
    const own = `${events}/${encodeURIComponent(idOf(exception))}`;
    for (const entry of await listedAttachments(own, graph, options)) {
      const attached = await attachedOf(own, entry, graph, options);
      found.push({ ...attached, entry: { ...attached.entry, '@holdfast.of': idOf(exception) } });
    }
  }
  return found;
}

/** Bytes of attachments of exceptions that a note of a change holds, at most. */
const MOST_NOTED = 8 << 20;

/**
 * The attachments of the exceptions of a series that stands, as backups keep them: for a restore that may write the exceptions anew. Names of those that are too large go into
 * `@holdfast.notKept`.
 */
export async function exceptionAttachments({ graph, budget }: MailboxAccess, events: string, series: Entry, signal: AbortSignal): Promise<Entry> {
  const options = { purpose: CALENDAR_PURPOSE, budget, signal };
  const [kept, notKept]: [Entry[], string[]] = [[], []];
  let room = MOST_NOTED;
  for (const { entry, path } of await attachedToExceptions(listOf(series, 'exceptionOccurrences'), events, graph, options)) {
    const size = typeof entry['size'] === 'number' ? entry['size'] : 0;
    if (path === undefined || size > room) {
      notKept.push(textOf(entry, 'name'));
      continue;
    }
    const { bytes } = await wholeContent(graph, path, { ...options, limits: { mostBytes: MOST_NOTED * 2 } }, (ends) => isCutAttachment(entry, ends)).catch(oddIfMissing(LISTED_ATTACHMENT));
    room -= bytes.length;
    kept.push({ ...entry, contentBytes: bytes.toString('base64') });
  }
  return { ...(kept.length === 0 ? {} : { '@holdfast.exceptionAttachments': kept }), ...(notKept.length === 0 ? {} : { '@holdfast.notKept': notKept }) };
}

async function listedAttachments(path: string, graph: GraphClient, options: GraphOptions): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  try {
    for await (const page of pages(graph, `${path}/attachments?${SHOWN_ATTACHMENT}`, options)) found.push(...page);
  } catch (error) {
    oddIfMissing('an exception that it had just listed')(error);
  }
  return found;
}

/** `hasAttachments` does not count pictures in the text. */
function mayHaveAttachments(event: Entry): boolean {
  return event['hasAttachments'] === true || textOf(objectOf(event, 'body'), 'content').includes('cid:');
}

/** A file's bytes; of an attached item its properties and, as bytes, its own form (fact 42); what is only a link has none. */
async function attachedOf(path: string, entry: Entry, graph: GraphClient, options: GraphOptions): Promise<Attached> {
  const type = textOf(entry, '@odata.type');
  if (type.endsWith('referenceAttachment')) return { entry, path: undefined };
  const own = `${path}/attachments/${encodeURIComponent(idOf(entry))}`;
  const shown = type.endsWith('itemAttachment') ? await graph.get(`${own}?$expand=${encodeURIComponent('microsoft.graph.itemattachment/item')}`, options).catch(oddIfMissing(LISTED_ATTACHMENT)) : entry;
  return { entry: shown, path: `${own}/$value` };
}
