import type { ItemRow } from '../../../../domain/index.ts';

/**
 * What was deleted or changed and is kept all the same: by a legal hold, or for some weeks by single item recovery. No document of Graph names these folders (fact 49), but some tenants
 * give them by name.
 */
export const HELD: readonly string[] = ['recoverableitemspurges', 'recoverableitemsversions', 'recoverableitemsdiscoveryholds', 'recoverableitemssubstrateholds'];

const NAMED = new RegExp(`"wellKnown":"(${HELD.join('|')})"`);

/** Whether the row is that of such a folder. */
export function isHeldFolder({ kind, meta }: Pick<ItemRow, 'kind' | 'meta'>): boolean {
  return kind === 'folder' && NAMED.test(meta);
}
