import { idOf } from '../../graph/pages.ts';
import type { ItemSource } from '../items/itemSource.ts';
import { stateMark } from './restore/mailState.ts';
import { MAIL_PURPOSE } from './mailFolders.ts';
import { FOLDERS, MESSAGES, NOTICES } from './mailKeys.ts';
import { hasSameContent, isWholeMessage, listedMessage, MESSAGE_OPTIONS, streamChange } from './messageItem.ts';

/** Messages, folder by folder (fact 27). */
export const messageSource: ItemSource = {
  purpose: MAIL_PURPOSE,
  keys: { folders: FOLDERS, items: MESSAGES, notices: NOTICES },
  mode: 'delta',
  start: (base, folderId) => `${base}/mailFolders/${encodeURIComponent(folderId)}/messages/delta?${MESSAGE_OPTIONS}`,
  restOf: (base, _folderId, entry) => (isWholeMessage(entry) ? undefined : `${base}/messages/${encodeURIComponent(idOf(entry))}?${MESSAGE_OPTIONS}`),
  listed: listedMessage,
  isSame: hasSameContent,
  streamChange,
  streamMeta: ({ meta }) => JSON.stringify({ state: stateMark(meta) }),
  mayBeStreamAlone: true,
};
