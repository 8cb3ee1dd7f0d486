import type { IncomingRequest } from '../server/call.ts';
import { badRequest, GraphFailure, itemNotFound } from '../server/graphFailure.ts';
import { ok } from '../server/reply.ts';
import type { Reply } from '../server/reply.ts';
import type { World } from '../world.ts';
import { findAnyItem, findFolder } from '../mailbox/findMailbox.ts';
import { KIND_OF_CLASS } from '../mailbox/folder.ts';
import type { Item } from '../mailbox/item.ts';
import { changeKeyOf } from '../mailbox/showItem.ts';
import type { ImportSession } from './importSession.ts';
import { importStream } from './itemStream.ts';
import { textOf } from '../odata/textOf.ts';

/** Takes one item (fact 55): into a folder as a new one, or over the one that it names. */
export function answerImport(world: World, session: ImportSession, request: IncomingRequest): Reply {
  if (request.method !== 'POST') throw new GraphFailure(405, 'Request_BadRequest', 'Items are imported by POST.');
  const mailbox = world.mailbox(session.userId);
  if (mailbox === undefined) throw itemNotFound();
  const body = JSON.parse(Buffer.from(request.body).toString('utf8')) as Record<string, unknown>;
  const { FolderId, Mode, Data, ItemId, ChangeKey } = body;
  if (typeof FolderId !== 'string' || typeof Data !== 'string') throw badRequest('FolderId, Mode and Data are required.', 'ErrorInvalidRequest');
  const folder = findFolder(mailbox, FolderId);
  const now = world.clock.now();
  const imported = importStream(Buffer.from(Data, 'base64'), mailbox.newKey());
  if (KIND_OF_CLASS[folder.class] !== imported.kind) throw badRequest('An item of this class cannot lie in this folder.', 'ErrorItemFolderMismatch');
  let item: Item;
  if (Mode === 'create') item = { ...imported, version: 0, modified: now };
  else if (Mode === 'update') {
    const found = findAnyItem(mailbox, textOf(ItemId));
    if (found === undefined) throw itemNotFound();
    if (ChangeKey !== undefined && ChangeKey !== changeKeyOf(mailbox, found.item.key, found.item.version)) {
      throw new GraphFailure(409, 'ErrorIrresolvableConflict', 'The change key does not match the current one.');
    }
    item = { ...imported, key: found.item.key, moves: found.item.moves, version: found.item.version + 1, modified: now };
    if (found.folder !== folder) throw badRequest('The item lies in another folder.', 'ErrorItemFolderMismatch');
  } else throw badRequest("Mode is 'create' or 'update'.", 'ErrorInvalidRequest');
  mailbox.put(folder, item);
  return ok({ itemId: mailbox.ids.item(item.key, item.moves, false), changeKey: changeKeyOf(mailbox, item.key, item.version) });
}
