import type { Entry } from '../../graph/pages.ts';
import { objectOf } from '../items/documents.ts';
import type { Losses } from '../restore/losses.ts';
import { changedFields } from '../restore/shapes.ts';

/** What of a mailbox's settings can be set as it is. Its purpose and its archive folder are the service's own. */
const FIELDS: readonly string[] = ['timeZone', 'dateFormat', 'timeFormat', 'language', 'workingHours', 'delegateMeetingMessageDeliveryOptions'];
const REPLY_FIELDS: readonly string[] = ['externalAudience', 'internalReplyMessage', 'externalReplyMessage', 'scheduledStartDateTime', 'scheduledEndDateTime'];

/** What has to be set so that settings are as they were. Automatic replies get their text and times; they are switched off, but never on. */
export function settingsChanges(document: Entry, standing: Entry, losses: Losses): Entry {
  const fields = changedFields(standing, document, FIELDS);
  const [kept, now] = [objectOf(document, 'automaticRepliesSetting'), objectOf(standing, 'automaticRepliesSetting')];
  const goesOff = kept['status'] === 'disabled' && now['status'] !== 'disabled';
  if (!goesOff && kept['status'] !== undefined && kept['status'] !== now['status']) {
    losses.add('replies-off', 'that automatic replies were switched on: they would go to people. Switch them on by hand');
  }
  if (!goesOff && Object.keys(changedFields(now, kept, REPLY_FIELDS)).length === 0) return fields;
  // All of them: what is not named might be taken for empty.
  const replies = Object.fromEntries(REPLY_FIELDS.flatMap((name) => (kept[name] === undefined || kept[name] === null ? [] : [[name, kept[name]]])));
  return { ...fields, automaticRepliesSetting: { status: goesOff ? 'disabled' : now['status'] ?? 'disabled', ...replies } };
}
