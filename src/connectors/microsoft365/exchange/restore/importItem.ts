import type { ItemRow } from '../../../../domain/index.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { idOf, pages, textOf, type Entry } from '../../graph/pages.ts';
import { readDocument } from '../items/documents.ts';
import { isRefusedStream } from '../streams/streamImport.ts';
import { doOnce } from './doOnce.ts';
import { originProperty, patchItem } from './outlookItem.ts';
import type { ItemWriting, Place, WrittenItem, Writing } from './partWriting.ts';
import { withTag } from './shapes.ts';

/** An item on its way as a stream. */
export interface StreamedItem {
  readonly row: ItemRow;
  readonly document: Entry;
  readonly stream: () => Promise<Uint8Array>;
}

/** Gives an item back as its stream, where its part and the tenant let that be. undefined: it has to be made in another way; that the service refused the stream is among the losses. */
export async function importItem(part: ItemWriting, item: StreamedItem, writing: Writing): Promise<WrittenItem | undefined> {
  const { access, folderId, losses, signal } = writing;
  const { streams } = part;
  if (streams?.mayImport(item.document, item.row) !== true || !await access.streamImport.isGranted(signal)) return undefined;
  let id: string;
  try {
    const look = async (): Promise<string | undefined> => await findImported(part, item, writing);
    const there = access.streamImport.mayBeThere ? await look() : undefined;
    const act = async (): Promise<string> => await access.streamImport.put({ folderId }, await item.stream(), signal);
    id = there ?? await doOnce(access, signal, { act, look });
  } catch (error) {
    signal.throwIfAborted();
    if (!isRefusedStream(error)) throw error;
    losses.add('stream-refused', `that it comes back whole: ${error.message}`);
    return undefined;
  }
  return { id, shown: streams.isHeard(item.document) ? undefined : await noteOrigin(part, { id, folderId }, item.row, writing) };
}

/** An item that was imported although its answer was lost, or the restore was stopped: one of the same name and fields, without an origin. */
async function findImported(part: ItemWriting, { row, document }: StreamedItem, writing: Writing): Promise<string | undefined> {
  const { access: { graph, path, budget }, folderId, signal } = writing;
  const nameOf = (entry: Entry): string => textOf(entry, 'subject') || textOf(entry, 'displayName');
  const wanted = writing.stampOf(document);
  for await (const entries of pages(graph, part.listPath(path, folderId), { purpose: part.readPurpose, budget, signal })) {
    for (const entry of entries.filter((one) => part.originOf(one) === undefined && nameOf(one) === nameOf(document))) {
      const shown = await shownItem(part, { id: idOf(entry), folderId }, row, writing).catch((error: unknown) => {
        if (!hasCode(error, 'not-found')) throw error;
      });
      if (shown !== undefined && writing.stampOf(shown) === wanted) return idOf(entry);
    }
  }
  return undefined;
}

async function noteOrigin(part: ItemWriting, place: Place, row: ItemRow, writing: Writing): Promise<Entry> {
  const { access, tag, signal } = writing;
  const shown = await shownItem(part, place, row, writing);
  const changes = { ...(tag === undefined ? {} : { categories: withTag(shown['categories'], tag) }), ...originProperty(writing.origin(writing.stampOf(shown), true)) };
  return await patchItem(access, part.streams?.itemPath(access.path, place.id) ?? '', changes, part, signal);
}

async function shownItem(part: ItemWriting, place: Place, row: ItemRow, { access: { graph, path, budget }, signal }: Writing): Promise<Entry> {
  const documents: Entry[] = [];
  for (const shown of part.shownPaths(path, place, row)) documents.push(await readDocument(graph, shown, { purpose: part.readPurpose, budget, signal }));
  return Object.assign({}, ...documents) as Entry;
}
