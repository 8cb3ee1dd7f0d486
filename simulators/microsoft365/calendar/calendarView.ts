import type { Folder } from '../mailbox/folder.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Properties } from '../odata/list.ts';

export function calendarDocument(mailbox: Mailbox, folder: Folder): Properties {
  const isDefault = folder.wellKnown === 'calendar';
  const { person } = mailbox.owner;
  return {
    id: mailbox.ids.folder(folder.number), name: folder.name, color: 'auto', hexColor: '', isDefaultCalendar: isDefault, changeKey: Buffer.from(`${folder.number} ${folder.sequence}`).toString('base64'),
    canShare: true, canViewPrivateItems: true, canEdit: true, allowedOnlineMeetingProviders: ['teamsForBusiness'], defaultOnlineMeetingProvider: 'teamsForBusiness',
    isTallyingResponses: isDefault, isRemovable: !isDefault, owner: { name: person.displayName, address: person.address }, ...folder.extra,
  };
}
