import type { Call } from '../server/call.ts';
import { isoSeconds } from '../server/clock.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Item } from '../mailbox/item.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { attachmentDocument, changeKeyOf } from '../mailbox/showItem.ts';
import type { ItemView } from '../mailbox/shelfListing.ts';
import type { Properties } from '../odata/list.ts';
import { expandedList, shape } from '../odata/shape.ts';

const ITEM = Symbol('item');

export function listDocument(mailbox: Mailbox, folder: Folder): Properties {
  const { wellKnown } = folder;
  return {
    '@odata.etag': `W/"${Buffer.from(`${folder.number} ${folder.sequence}`).toString('base64')}"`, id: mailbox.ids.folder(folder.number), displayName: folder.name, isOwner: true, isShared: false,
    wellknownListName: wellKnown === 'defaultList' || wellKnown === 'flaggedEmails' ? wellKnown : 'none',
  };
}

export function taskView(call: Call, mailbox: Mailbox): ItemView {
  return {
    type: 'todoTask',
    document: (item) => ({
      '@odata.etag': `W/"${changeKeyOf(mailbox, item.key, item.version)}"`, id: mailbox.ids.item(item.key, item.moves, call.prefer.immutableIds),
      createdDateTime: isoSeconds(item.created), lastModifiedDateTime: isoSeconds(item.modified), hasAttachments: item.attachments.length > 0, ...item.properties, [ITEM]: item,
    }),
    shape: (document, query) => {
      const item = (document as { [ITEM]?: Item })[ITEM];
      if (item === undefined) throw new Error('a task was shown that came from no item');
      return shape({
        type: 'todoTask',
        expand: {
          checklistItems: (expansion) => expandedList(item.steps ?? [], expansion),
          extensions: (expansion) => expandedList(item.extensions ?? [], expansion),
          linkedResources: (expansion) => expandedList(item.links ?? [], expansion),
          attachments: (expansion) => expandedList(item.attachments.map((attachment) => attachmentDocument(mailbox, item, attachment, false)), expansion),
        },
      }, document, query);
    },
  };
}
