import type { Call } from '../server/call.ts';
import { isoSeconds } from '../server/clock.ts';
import type { Properties } from '../odata/list.ts';
import type { Attachment, Item } from './item.ts';
import type { Mailbox } from './mailbox.ts';
import type { Folder } from './folder.ts';

/** The change key of an item's version: differs with each, and between items. */
export function changeKeyOf(mailbox: Mailbox, key: string, version: number): string {
  return Buffer.from(`${mailbox.owner.index}:${key}:${version}`).toString('base64');
}

/** What every item of Outlook has, around its own properties. */
export function itemDocument(call: Call, mailbox: Mailbox, item: Item): Properties {
  const changeKey = changeKeyOf(mailbox, item.key, item.version);
  return {
    '@odata.etag': `W/"${changeKey}"`,
    id: mailbox.ids.item(item.key, item.moves, call.prefer.immutableIds),
    createdDateTime: isoSeconds(item.created),
    lastModifiedDateTime: isoSeconds(item.modified),
    changeKey,
    ...item.properties,
  };
}

/** Facts 23 and 30: what a delta tells of what is gone. The id is of the kind that the request prefers. */
export function removedItem(call: Call, mailbox: Mailbox, key: string, moves = 0, date?: string): Properties {
  return { '@removed': { reason: 'deleted' }, id: mailbox.ids.item(key, moves, call.prefer.immutableIds, date) };
}

export function parentId(mailbox: Mailbox, folder: Folder): string {
  return mailbox.ids.folder(folder.number);
}

/** An attachment. In lists and alone it carries its content, unless `$select` leaves it out. */
export function attachmentDocument(mailbox: Mailbox, item: Item, attachment: Attachment, withContent: boolean): Properties {
  const { type, name, contentType, isInline, contentId, modified, size } = attachment;
  const common = { '@odata.type': `#microsoft.graph.${type}`, id: mailbox.ids.attachment(item.key, attachment.key), lastModifiedDateTime: isoSeconds(modified), name, contentType, size };
  if (type === 'itemAttachment') return { '@odata.mediaContentType': 'message/rfc822', ...common, isInline };
  if (type === 'referenceAttachment') return { ...common, isInline };
  const contentBytes = withContent ? { contentBytes: attachment.bytes().toString('base64') } : {};
  if (type === 'taskFileAttachment') return { ...common, ...contentBytes };
  return { '@odata.mediaContentType': contentType, ...common, isInline, contentId, contentLocation: null, ...contentBytes };
}
