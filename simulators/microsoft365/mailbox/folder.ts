import type { Properties } from '../odata/list.ts';
import type { ExtendedProperty, ItemKind } from './item.ts';
import type { Shelf } from './shelf.ts';

/** What a folder holds; the words are the store's own. */
export type FolderClass = 'IPF.Note' | 'IPF.Contact' | 'IPF.Appointment' | 'IPF.Task' | 'IPF.StickyNote';

export const KIND_OF_CLASS: Readonly<Record<FolderClass, ItemKind>> = {
  'IPF.Note': 'message', 'IPF.Contact': 'contact', 'IPF.Appointment': 'event', 'IPF.Task': 'task', 'IPF.StickyNote': 'note',
};

/** A container of a mailbox: mail folder, contact folder, calendar, task list or the folder of sticky notes. */
export interface Folder {
  readonly number: number;
  readonly class: FolderClass;
  readonly shelf: Shelf;
  name: string;
  parent: number | undefined;
  readonly wellKnown: string | undefined;
  readonly hidden: boolean;
  /** Items of a seeded mail folder that are unread: the newest ones. */
  readonly seededUnread: number;
  /** What this kind of container has besides: a calendar's colour, a search folder's query. */
  extra: Properties;
  /** Set on it by applications. */
  extended: readonly ExtendedProperty[];
  sequence: number;
  removed: boolean;
}

/** Fact 49, with the two folders that every mailbox has but no document names (they are seen by the mailbox folder API alone). */
export const WELL_KNOWN_MAIL: readonly (readonly [name: string, title: string])[] = [
  ['inbox', 'Inbox'], ['drafts', 'Drafts'], ['sentitems', 'Sent Items'], ['deleteditems', 'Deleted Items'], ['junkemail', 'Junk Email'], ['outbox', 'Outbox'],
  ['archive', 'Archive'], ['conversationhistory', 'Conversation History'],
];

/** Folders outside of what people see. They are found by name alone. */
export const HIDDEN_MAIL: readonly (readonly [name: string, title: string])[] = [
  ['recoverableitemsdeletions', 'Deletions'], ['clutter', 'Clutter'], ['syncissues', 'Sync Issues'], ['conflicts', 'Conflicts'], ['localfailures', 'Local Failures'],
  ['serverfailures', 'Server Failures'], ['scheduled', 'Scheduled'], ['searchfolders', 'Search Folders'],
];
