import type { Call } from '../server/call.ts';
import { badRequest } from '../server/graphFailure.ts';
import { expandExtended } from '../mailbox/extendedProperties.ts';
import type { Properties } from '../odata/list.ts';
import { expandedList, shape } from '../odata/shape.ts';
import type { ODataQuery } from '../odata/query.ts';
import type { Folder } from '../mailbox/folder.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { textOf } from '../odata/textOf.ts';

export function folderDocument(mailbox: Mailbox, folder: Folder): Properties {
  return {
    id: mailbox.ids.folder(folder.number),
    displayName: folder.name,
    parentFolderId: mailbox.ids.folder(folder.parent ?? folder.number),
    childFolderCount: mailbox.children(folder.number).filter((child) => child.class === 'IPF.Note').length,
    unreadItemCount: unreadCount(folder),
    totalItemCount: folder.shelf.size,
    isHidden: folder.hidden,
    ...folder.extra,
  };
}

export function shapeFolder(mailbox: Mailbox, document: Properties, query: ODataQuery): Properties {
  return shape({
    type: 'mailFolder',
    expand: {
      childFolders: (expansion) => {
        const target = mailbox.ids.read(textOf(document['id']));
        if (target?.kind !== 'folder') throw badRequest('The folder is not known.');
        return expandedList(mailbox.children(target.number).map((child) => folderDocument(mailbox, child)), expansion);
      },
      singleValueExtendedProperties: (expansion) => {
        const target = mailbox.ids.read(textOf(document['id']));
        return expandExtended({ extended: target?.kind === 'folder' ? mailbox.folder(target.number)?.extended ?? [] : [] }, [], expansion);
      },
    },
  }, document, query);
}

export function showFolder(call: Call, mailbox: Mailbox, folder: Folder): Properties {
  return {
    '@odata.context': `${call.world.origin}/v1.0/$metadata#users('${call.params['user-id'] ?? ''}')/mailFolders/$entity`,
    ...shapeFolder(mailbox, folderDocument(mailbox, folder), call.query),
  };
}

/** Seeded unread items are the newest ones; changed and added items are looked at one by one. */
function unreadCount(folder: Folder): number {
  let unread = 0;
  const seen = new Set<string>();
  for (const { key } of folder.shelf.changes(0)) {
    seen.add(key);
    if (folder.shelf.get(key)?.properties['isRead'] === false) unread += 1;
  }
  for (let index = 0; index < folder.seededUnread; index++) if (!seen.has(`${folder.shelf.name}.${index}`)) unread += 1;
  return unread;
}
