import type { BinaryString } from '../../../../domain/index.ts';

/**
 * Keys of mail. Folders and messages are known by ids that stay: a folder's always does, a message's immutable one as long as it is in the mailbox.
 * So a message that moves keeps its key, and only its parent differs.
 */
export const NAME = 'mail';

/** Above all folders that people see; above those of Recoverable Items. */
export const ROOT_KEY: BinaryString = 'mail/0';
export const RECOVERABLE_KEY: BinaryString = 'mail/1';
export const FOLDERS: BinaryString = 'mail/f/';
export const MESSAGES: BinaryString = 'mail/m/';
/** Notices that a folder's messages could not be read. */
export const NOTICES: BinaryString = 'mail/x/';

export function folderKey(id: string): BinaryString {
  return FOLDERS + id;
}

export function messageKey(id: string): BinaryString {
  return MESSAGES + id;
}

/** The id in a key of one of the three kinds. */
export function idOfKey(key: BinaryString): string {
  return key.slice(FOLDERS.length);
}
