import { calendarRoutes } from './calendar/calendarRoutes.ts';
import { EVENT_BASES, eventReads } from './calendar/eventReads.ts';
import { eventWrites } from './calendar/eventWrites.ts';
import { attachedEventOf } from './calendar/findEvent.ts';
import { contactFolderRoutes } from './contacts/contactFolderRoutes.ts';
import { contactRoutes } from './contacts/contactRoutes.ts';
import { directoryRoutes } from './directory/directoryRoutes.ts';
import { groupMailRoutes } from './directory/groupMailRoutes.ts';
import { attachmentRoutes } from './mail/attachmentRoutes.ts';
import { folderRoutes } from './mail/folderRoutes.ts';
import { messageOf, messageReads } from './mail/messageReads.ts';
import { messageWrites } from './mail/messageWrites.ts';
import { settingsRoutes } from './mailbox/settingsRoutes.ts';
import type { Route } from './server/call.ts';
import { PERMISSIONS } from './signIn/permissions.ts';
import { taskRoutes } from './todo/taskRoutes.ts';
import { transferRoutes } from './transfer/transferRoutes.ts';

const OF_MESSAGES = { read: PERMISSIONS.readWholeMail, write: PERMISSIONS.writeMail, upload: PERMISSIONS.uploadToMessage, find: messageOf };
const OF_EVENTS = { read: PERMISSIONS.readWholeCalendars, write: PERMISSIONS.writeCalendars, upload: PERMISSIONS.uploadToMessage, find: attachedEventOf };

/** Everything that the Graph host answers, besides $batch. */
export function allRoutes(): readonly Route[] {
  return [
    ...directoryRoutes, ...groupMailRoutes, ...settingsRoutes, ...folderRoutes, ...messageReads, ...messageWrites,
    ...attachmentRoutes({ ...OF_MESSAGES, path: '/users/{user-id}/messages/{message-id}' }),
    ...attachmentRoutes({ ...OF_MESSAGES, path: '/users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}' }),
    ...calendarRoutes, ...eventReads, ...eventWrites,
    ...EVENT_BASES.filter((base) => !base.endsWith('/calendar')).flatMap((base) => attachmentRoutes({ ...OF_EVENTS, path: `${base}/events/{event-id}` })),
    ...contactFolderRoutes, ...contactRoutes, ...taskRoutes, ...transferRoutes,
  ];
}
