import type { ItemRow } from '../../../../../domain/index.ts';
import { idOf, pages, textOf } from '../../../graph/pages.ts';
import { parseObject } from '../../items/folders.ts';
import { doOnce } from '../../restore/doOnce.ts';
import { formatOrigin, ORIGIN_ID, takeOrigin, type Origin } from '../../restore/origin.ts';
import type { TargetAccess } from '../../subTarget.ts';
import { listedMessage, messageOptions, parseMessageMeta } from '../messageItem.ts';
import { WRITE_PURPOSE } from './mailPlaces.ts';
import { stateMark, stateOf, tagged } from './mailState.ts';

/** A mail on its way as a stream. */
export interface StreamedMail {
  readonly row: ItemRow;
  readonly companion: ItemRow;
  readonly stream: Uint8Array;
}

/**
 * Puts a mail into a folder as its stream, and notes its origin. The stream has the mail's state as it was when it was made; where that has changed by the time of the snapshot it is set along.
 * Between the two requests the mail stands there without an origin: what a stopped restore left so is taken as it is. Returns its id, and its change key then.
 */
export async function importMessage(access: TargetAccess, folderId: string, mail: StreamedMail, { origin, tag }: { readonly origin: Origin; readonly tag: string | undefined }, signal: AbortSignal): Promise<{ readonly id: string; readonly change: string }> {
  const { graph, path, budget } = access;
  const { row, companion, stream } = mail;
  const there = access.streamImport.mayBeThere ? await findImported(access, folderId, row, signal) : undefined;
  const id = there ?? await doOnce(access, signal, {
    act: async () => await access.streamImport.put({ folderId }, stream, signal),
    look: async () => await findImported(access, folderId, row, signal),
  });
  const state = tagged(stateOf(row.meta), tag);
  const isSame = parseObject(companion.meta)['state'] === stateMark(row.meta);
  const changes = { ...(isSame ? {} : state), ...(tag === undefined ? {} : { categories: state.categories }), singleValueExtendedProperties: [{ id: ORIGIN_ID, value: formatOrigin(origin) }] };
  return { id, change: textOf(await graph.patch(`${path}/messages/${encodeURIComponent(id)}`, changes, { purpose: WRITE_PURPOSE, budget, signal }), 'changeKey') };
}

/** What was imported although its answer was lost, or the restore was stopped: the same mail, without an origin. */
async function findImported({ graph, path, budget }: TargetAccess, folderId: string, row: ItemRow, signal: AbortSignal): Promise<string | undefined> {
  const { received, messageId } = parseMessageMeta(row.meta);
  if (received === undefined) return undefined;
  const filter = encodeURIComponent(`receivedDateTime ge ${received} and receivedDateTime le ${received}`);
  const address = `${path}/mailFolders/${encodeURIComponent(folderId)}/messages?$filter=${filter}&${messageOptions(ORIGIN_ID)}&$top=100`;
  for await (const entries of pages(graph, address, { purpose: WRITE_PURPOSE, budget, signal })) {
    const found = entries.map(takeOrigin).find(({ entry, origin }) => {
      const { name, meta } = listedMessage(entry, folderId);
      return origin === undefined && name === row.name && parseMessageMeta(meta).messageId === messageId;
    });
    if (found !== undefined) return idOf(found.entry);
  }
  return undefined;
}
