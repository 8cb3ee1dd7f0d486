import { param } from '../server/call.ts';
import type { Call } from '../server/call.ts';
import { badRequest, GraphFailure, itemNotFound, resourceNotFound } from '../server/graphFailure.ts';
import { KIND_OF_CLASS } from './folder.ts';
import type { Folder, FolderClass } from './folder.ts';
import type { Item, ItemKind } from './item.ts';
import type { Mailbox } from './mailbox.ts';

/** The mailbox of the call's user, or the failure that the service has for one that is not there. */
export function mailboxOf(call: Call): Mailbox {
  const name = param(call, 'user-id');
  const user = call.world.directory.user(name);
  if (user === undefined) throw resourceNotFound(name);
  return openMailbox(call, user.id);
}

export function openMailbox(call: Call, userId: string): Mailbox {
  const mailbox = call.world.mailbox(userId);
  if (mailbox === undefined) {
    throw new GraphFailure(404, 'MailboxNotEnabledForRESTAPI', 'The mailbox is either inactive, soft-deleted, or is hosted on-premise.');
  }
  return mailbox;
}

/** The folder of an id or of a well-known name. */
export function findFolder(mailbox: Mailbox, id: string, folderClass?: FolderClass): Folder {
  const target = mailbox.ids.read(id);
  const named = mailbox.folderByWellKnown(id.toLowerCase());
  const folder = named ?? (target?.kind === 'folder' ? mailbox.folder(target.number) : undefined);
  if (named === undefined && target === undefined) throw malformed();
  if (folder === undefined || (folderClass !== undefined && folder.class !== folderClass)) throw folderNotFound();
  return folder;
}

export interface FoundItem {
  readonly item: Item;
  readonly folder: Folder;
  /** Of an occurrence of a series. */
  readonly date: string | undefined;
}

/** The item of an id of either kind (fact 41). An ordinary id from before a move names nothing any more. */
export function findItem(mailbox: Mailbox, id: string, kind: ItemKind, within?: Folder): FoundItem {
  const target = mailbox.ids.read(id);
  if (target === undefined) throw malformed();
  if (target.kind !== 'item') throw itemNotFound();
  const found = mailbox.find(target.key, kind);
  if (found === undefined || (target.moves !== undefined && target.moves !== found.item.moves)) throw itemNotFound();
  if (within !== undefined && found.folder !== within) throw itemNotFound();
  return { ...found, date: target.date };
}

/** An item of whatever kind, as the import and export API knows them. */
export function findAnyItem(mailbox: Mailbox, id: string): FoundItem | undefined {
  const target = mailbox.ids.read(id);
  if (target?.kind !== 'item') return undefined;
  const folder = mailbox.placeOf(target.key);
  const found = folder === undefined ? undefined : mailbox.find(target.key, KIND_OF_CLASS[folder.class]);
  if (found === undefined || (target.moves !== undefined && target.moves !== found.item.moves)) return undefined;
  return { ...found, date: target.date };
}

function malformed(): GraphFailure {
  return badRequest('Id is malformed.', 'ErrorInvalidIdMalformed');
}

function folderNotFound(): GraphFailure {
  return new GraphFailure(404, 'ErrorItemNotFound', 'The specified folder could not be found in the store.');
}
