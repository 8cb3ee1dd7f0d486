import { isCompanion, type BinaryString, type ItemRow } from '../domain/index.ts';
import { stateRows, type Layer, type SegmentSource } from '../repository/index.ts';

/** As `stateRows`, without companions: these are no items of their own. */
export async function* shownRows(
  source: SegmentSource, layers: readonly Layer[], prefix?: BinaryString, signal?: AbortSignal, kind?: string,
): AsyncGenerator<readonly ItemRow[]> {
  for await (const rows of stateRows(source, layers, prefix, signal, kind)) yield rows.some(isCompanion) ? rows.filter((row) => !isCompanion(row)) : rows;
}
