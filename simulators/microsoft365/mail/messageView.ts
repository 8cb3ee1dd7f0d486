import type { Call } from '../server/call.ts';
import { isoSeconds } from '../server/clock.ts';
import type { Properties } from '../odata/list.ts';
import { expandedList, shape } from '../odata/shape.ts';
import { expandExtended } from '../mailbox/extendedProperties.ts';
import type { ExtendedProperty, Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { attachmentDocument, itemDocument, parentId } from '../mailbox/showItem.ts';
import type { ItemView } from '../mailbox/shelfListing.ts';
import { textOfHtml } from '../seed/texts.ts';
import { textOf } from '../odata/textOf.ts';

/** Which document came from which item, for expansions. */
const ITEM = Symbol('item');

const HIDDEN = ['internetMessageHeaders', 'uniqueBody'];
/** What Mail.ReadBasic.All leaves out. */
const NOT_BASIC = ['body', 'bodyPreview', 'uniqueBody'];

/** How messages are shown to this call. */
export function messageView(call: Call, mailbox: Mailbox): ItemView {
  const isBasic = !call.granted.has('Mail.Read') && !call.granted.has('Mail.ReadWrite');
  return {
    type: 'message',
    rankedBy: 'receivedDateTime',
    document: (item, folder) => {
      const document = { ...itemDocument(call, mailbox, item), parentFolderId: parentId(mailbox, folder), [ITEM]: item };
      const shown = call.prefer.textBodies ? withTextBody(document) : document;
      return isBasic ? Object.assign(withoutNames(shown, NOT_BASIC), { [ITEM]: item }) : shown;
    },
    shape: (document, query) => {
      const item = (document as { [ITEM]?: Item })[ITEM];
      if (item === undefined) throw new Error('a message was shown that came from no item');
      if (isBasic && query.expand.length > 0) return shape({ type: 'message' }, document, query);
      return shape({
        type: 'message', hidden: HIDDEN,
        expand: {
          attachments: (expansion) => expandedList(item.attachments.map((attachment) => attachmentDocument(mailbox, item, attachment, true)), expansion),
          singleValueExtendedProperties: (expansion) => expandExtended(item, derivedProperties(item), expansion),
          multiValueExtendedProperties: (expansion) => expandExtended(item, [], expansion),
        },
      }, document, query);
    },
  };
}

/** One message as the answer to a call. */
export function showMessage(call: Call, mailbox: Mailbox, item: Item): Properties {
  const view = messageView(call, mailbox);
  const folder = mailbox.placeOf(item.key);
  if (folder === undefined) throw new Error(`the item ${item.key} lies nowhere`);
  return { '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/messages/$entity`, ...view.shape(view.document(item, folder), call.query) };
}

/** Facts 44 and 45: what the store keeps as properties of its own, of which Graph shows other forms. */
export function derivedProperties(item: Item): ExtendedProperty[] {
  const { isRead, isDraft, receivedDateTime, sentDateTime, internetMessageId } = item.properties;
  const flags = (isRead === true ? 1 : 0) | (isDraft === true ? 8 : 0) | (item.attachments.length > 0 ? 16 : 0);
  return [
    { id: 'Integer 0xe07', value: String(flags) },
    { id: 'SystemTime 0xe06', value: textOf(receivedDateTime) },
    { id: 'SystemTime 0x39', value: textOf(sentDateTime) },
    { id: 'SystemTime 0x3007', value: isoSeconds(item.created) },
    { id: 'String 0x1a', value: 'IPM.Note' },
    { id: 'Integer 0xe08', value: String(sizeOf(item)) },
    ...(typeof internetMessageId === 'string' ? [{ id: 'String 0x1035', value: internetMessageId }] : []),
  ];
}

/** About what the store counts for an item. */
export function sizeOf(item: Item): number {
  return item.attachments.reduce((sum, { size }) => sum + size, 1500 + JSON.stringify(item.properties).length);
}

function withTextBody<T extends Properties>(document: T): T {
  const body = document['body'] as { contentType?: string; content?: string } | undefined;
  if (body?.contentType !== 'html') return document;
  return { ...document, body: { contentType: 'text', content: textOfHtml(body.content ?? '') } };
}

function withoutNames(document: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !names.includes(name)));
}
