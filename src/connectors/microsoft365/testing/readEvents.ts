import { createHash } from 'node:crypto';
import { all, type Document } from './readMailbox.ts';
import { put, type ShownItem } from './shownItems.ts';
import type { TestTenant } from './testTenant.ts';

const ATTENDEES = 'String {6b1f0c52-9d0e-4e5a-8a39-5d1c1f6a7e21} Name HoldfastAttendees';
/** Of an exception what may be compared: ids and times are of the service. */
const OF_EXCEPTION = ['subject', 'body', 'start', 'end', 'location', 'originalStart', 'showAs', 'importance', 'sensitivity', 'categories', 'isReminderOn', 'reminderMinutesBeforeStart', 'type'];

/** All events of a mailbox, with attachments, and of series with their exceptions and cancelled days, read over Graph by nothing of the product. The key is calendar, subject and start. */
export async function readEvents(tenant: TestTenant, address = tenant.address): Promise<Map<string, ShownItem>> {
  const events = new Map<string, ShownItem>();
  const expand = encodeURIComponent(`attachments,singleValueExtendedProperties($filter=id eq '${ATTENDEES}')`);
  for (const { id, name: path } of await all(tenant, '/calendars?$top=100', address)) {
    for (const event of await all(tenant, `/calendars/${id}/events?$top=50&$expand=${expand}`, address)) {
      const isSeries = event['type'] === 'seriesMaster';
      const fields = { ...event, attachments: marks(event['attachments']), ...(isSeries ? await seriesOf(tenant, address, event['id']) : {}) };
      put(events, `${path} ${event['subject']} ${event['start']['dateTime']}`, { path, fields });
    }
  }
  return events;
}

async function seriesOf(tenant: TestTenant, address: string, id: string): Promise<Document> {
  const { cancelledOccurrences, exceptionOccurrences } = await tenant.ask('GET', `/events/${id}?$select=cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences`, undefined, address);
  const exceptions: Document[] = [];
  for (const exception of exceptionOccurrences as Document[]) {
    const { value } = await tenant.ask('GET', `/events/${exception['id']}/attachments`, undefined, address);
    exceptions.push({ ...Object.fromEntries(OF_EXCEPTION.map((name) => [name, exception[name]])), attachments: marks(value) });
  }
  return { cancelledOccurrences: (cancelledOccurrences as string[]).map((one) => one.slice(-10)), exceptionOccurrences: exceptions };
}

function marks(attachments: readonly Document[]): unknown[] {
  return attachments.map(({ name, contentType, isInline, contentId, contentBytes }) => ({ name, contentType, isInline, contentId, sha256: createHash('sha256').update(Buffer.from(String(contentBytes), 'base64')).digest('hex') }));
}

/** The list of those who took part, that a restore keeps; undefined where there is none. */
export function keptAttendees(fields: Document): any {
  const [kept] = (fields['singleValueExtendedProperties'] ?? []) as { value: string }[];
  return kept === undefined ? undefined : JSON.parse(kept.value);
}
