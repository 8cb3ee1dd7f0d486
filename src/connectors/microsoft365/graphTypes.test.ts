import type { MailFolder, Message, User } from '@microsoft/microsoft-graph-types';
import { expect, test } from 'vitest';
import { MESSAGE_PROPERTIES } from './exchange/mail/messageItem.ts';

/** Names that the published types do not have fail the check of types. */
const ASKED = {
  message: MESSAGE_PROPERTIES satisfies readonly (keyof Message | 'changeKey')[],
  mailFolder: ['id', 'displayName', 'parentFolderId', 'totalItemCount', 'isHidden'] satisfies (keyof MailFolder)[],
  user: ['id', 'displayName', 'mail', 'userPrincipalName', 'userType', 'assignedPlans'] satisfies (keyof User)[],
};

test('what is asked of Graph are properties that its published types have', () => {
  for (const names of Object.values(ASKED)) expect(new Set(names).size).toBe(names.length);
});
