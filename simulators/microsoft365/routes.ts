import { directoryRoutes } from './directory/directoryRoutes.ts';
import { attachmentRoutes } from './mail/attachmentRoutes.ts';
import { folderRoutes } from './mail/folderRoutes.ts';
import { messageOf, messageReads } from './mail/messageReads.ts';
import { messageWrites } from './mail/messageWrites.ts';
import type { Route } from './server/call.ts';
import { PERMISSIONS } from './signIn/permissions.ts';
import { transferRoutes } from './transfer/transferRoutes.ts';

const MESSAGE_ATTACHMENTS = { read: PERMISSIONS.readWholeMail, write: PERMISSIONS.writeMail, upload: PERMISSIONS.uploadToMessage, find: messageOf };

/** Everything that the Graph host answers, besides $batch. */
export function allRoutes(): readonly Route[] {
  return [
    ...directoryRoutes, ...folderRoutes, ...messageReads, ...messageWrites,
    ...attachmentRoutes({ ...MESSAGE_ATTACHMENTS, path: '/users/{user-id}/messages/{message-id}' }),
    ...attachmentRoutes({ ...MESSAGE_ATTACHMENTS, path: '/users/{user-id}/mailFolders/{mailFolder-id}/messages/{message-id}' }),
    ...transferRoutes,
  ];
}
