import { hasCode } from '../../graph/graphErrors.ts';
import type { Entry } from '../../graph/pages.ts';
import { expandExtended, listOf } from '../items/documents.ts';
import type { TargetAccess } from '../subTarget.ts';
import { doOnce } from './doOnce.ts';
import { formatOrigin, ORIGIN_ID, takeOrigin, type Origin } from './origin.ts';
import type { ItemWriting, Writing } from './partWriting.ts';
import { standingIn } from './standingItems.ts';

/** `$expand` of the origin of contacts and events. */
export const EXPAND_ORIGIN = `$expand=${encodeURIComponent(expandExtended([ORIGIN_ID]))}`;

export function originOfEntry(entry: Entry): Origin | undefined {
  return takeOrigin(entry).origin;
}

/** Extended properties that a document has, by one spelling of their ids: the service gives them back in others. */
export function extendedOf(document: Entry): ReadonlyMap<string, string> {
  const list = listOf(document, 'singleValueExtendedProperties');
  return new Map(list.flatMap(({ id, value }) => (typeof id === 'string' && typeof value === 'string' ? [[plainId(id), value] as const] : [])));
}

/** An id of an extended property in one spelling. */
export function plainId(id: string): string {
  return id.toLowerCase().replaceAll(/[{}]/g, '').replace(/0x0*/, '0x');
}

/** Sends what makes an item, once: where its answer was lost it is looked for in its folder by its origin. Returns its document. */
export async function createOnce(part: ItemWriting, at: { readonly list: string; item(id: string): string }, body: Entry, origin: string, { access, folderId, signal }: Writing): Promise<Entry> {
  const { graph, budget } = access;
  const properties = [...listOf(body, 'singleValueExtendedProperties'), { id: ORIGIN_ID, value: origin }];
  return await doOnce(access, signal, {
    act: async () => await graph.post(at.list, { ...body, singleValueExtendedProperties: properties }, { purpose: part.writePurpose, budget, signal, repeatable: false }),
    look: async () => {
      for await (const items of standingIn(access, part, folderId, signal)) {
        const found = items.find((item) => item.origin !== undefined && formatOrigin(item.origin) === origin);
        if (found !== undefined) return await graph.get(at.item(found.id), { purpose: part.readPurpose, budget, signal });
      }
      return undefined;
    },
  });
}

/** Changes properties of an item. */
export async function patchItem({ graph, budget }: TargetAccess, path: string, changes: Entry, { writePurpose }: ItemWriting, signal: AbortSignal): Promise<Entry> {
  return await graph.patch(path, changes, { purpose: writePurpose, budget, signal });
}

/** Takes an item away for good; one that is not there is away. */
export async function removeForGood({ graph, budget }: TargetAccess, path: string, { writePurpose }: ItemWriting, signal: AbortSignal): Promise<void> {
  await graph.act(`${path}/permanentDelete`, { purpose: writePurpose, budget, signal }).catch((error: unknown) => {
    if (!hasCode(error, 'not-found')) throw error;
  });
}

/** Takes an item away as people do, to Deleted Items; one that is not there is away. */
export async function discardItem({ graph, budget }: TargetAccess, path: string, { writePurpose }: ItemWriting, signal: AbortSignal): Promise<void> {
  await graph.remove(path, { purpose: writePurpose, budget, signal }).catch((error: unknown) => {
    if (!hasCode(error, 'not-found')) throw error;
  });
}

/** The property that holds an origin, for a body. */
export function originProperty(origin: string): Entry {
  return { singleValueExtendedProperties: [{ id: ORIGIN_ID, value: origin }] };
}

