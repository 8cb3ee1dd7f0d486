import type { ItemRow } from '../../../../domain/index.ts';
import type { RestoreMode } from '../../../contract.ts';
import type { Origin } from './origin.ts';
import type { Place } from './partWriting.ts';
import { contentOfChange } from './shapes.ts';

/** An item that stands at the destination, as far as a restore has to know it. */
export interface StandingItem extends Place {
  /** Change key of the row that a backup would make of it now. */
  readonly change: string;
  /** Of one that a restore made or mended. */
  readonly origin: Origin | undefined;
}

/** What a restore does about one item. `leftovers`: ours, and never finished: they go before anything else. */
export type ItemDecision =
  | { readonly leftovers: readonly StandingItem[]; readonly act: 'nothing'; readonly result: 'unchanged' | 'skipped' }
  | { readonly leftovers: readonly StandingItem[]; readonly act: 'mend'; readonly result: 'replaced'; readonly standing: StandingItem }
  | { readonly leftovers: readonly StandingItem[]; readonly act: 'make'; readonly result: 'written' };

interface DecisionContext {
  readonly mode: RestoreMode;
  /** Id of the item that was backed up. */
  readonly source: string;
  /** The folder at the destination that stands for the row's; undefined: it is missing. */
  readonly folderId: string | undefined;
  /** Stamp of the fields of a standing item as they are now; undefined: not known. */
  readonly stampOf: (item: StandingItem) => string | undefined;
}

/** The two parts of what an origin calls content: which row it was made of, and the stamp of its fields then. */
export function originContent(row: ItemRow, stamp: string): string {
  return `${contentOfChange(row.change)}.${stamp}`;
}

/** Whether a restore made or mended it from this very row; nothing is said of what happened to it since. */
export function isMadeOf(row: ItemRow, { origin }: StandingItem): boolean {
  return origin?.whole === true && origin.content.startsWith(`${contentOfChange(row.change)}.`);
}

export function decideItem(row: ItemRow, standing: readonly StandingItem[], { mode, source, folderId, stampOf }: DecisionContext): ItemDecision {
  const isBeside = mode === 'separate';
  const made = standing.filter(({ id, origin }) => id !== source && origin?.source === source && origin.beside === isBeside);
  const leftovers = made.filter(({ origin }) => origin?.whole === false);
  const whole = made.filter((one) => !leftovers.includes(one));
  if (isBeside) return whole.some((one) => isMadeOf(row, one)) ? { leftovers, act: 'nothing', result: 'unchanged' } : { leftovers, act: 'make', result: 'written' };
  const there = [...standing.filter(({ id }) => id === source), ...whole];
  if (mode === 'skip' && there.length > 0) return { leftovers, act: 'nothing', result: 'skipped' };
  const isSame = (one: StandingItem): boolean => (one.id === source && one.change === row.change)
    || (one.folderId === folderId && isMadeOf(row, one) && one.origin?.content.split('.')[1] === stampOf(one));
  if (there.some(isSame)) return { leftovers, act: 'nothing', result: 'unchanged' };
  const [best] = there;
  return best === undefined ? { leftovers, act: 'make', result: 'written' } : { leftovers, act: 'mend', result: 'replaced', standing: best };
}
