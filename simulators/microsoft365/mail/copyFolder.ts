import type { Folder } from '../mailbox/folder.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';

/** Copies a folder with what is in it and below it. Copies are items of their own. */
export function copyFolder(mailbox: Mailbox, folder: Folder, parent: number): Folder {
  const copy = mailbox.addFolder({ class: folder.class, name: folder.name, parent, extra: folder.extra });
  for (const placed of folder.shelf.entries()) mailbox.put(copy, { ...placed.item(), key: mailbox.newKey(), moves: 0 });
  for (const child of mailbox.children(folder.number)) copyFolder(mailbox, child, copy.number);
  return copy;
}
