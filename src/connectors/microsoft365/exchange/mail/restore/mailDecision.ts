import type { ItemRow } from '../../../../../domain/index.ts';
import type { RestoreMode } from '../../../../contract.ts';
import { idOfKey } from '../mailKeys.ts';
import type { MailPlaces } from './mailPlaces.ts';
import { sameState, stateOf } from './mailState.ts';
import { contentOf } from './restoredMark.ts';
import { isSameContent, type StandingMail } from './standingMails.ts';

/** What a restore does about one mail. */
export type MailDecision = {
  /** Ours, and never finished: they go before anything else. */
  readonly leftovers: readonly StandingMail[];
} & (
  | { readonly act: 'nothing'; readonly result: 'unchanged' | 'skipped' }
  /** It stands there with this content: it is moved, or its state is set, or both. */
  | { readonly act: 'mend'; readonly result: 'written' | 'replaced'; readonly standing: StandingMail; readonly move: boolean; readonly state: boolean }
  /** `instead`: what stands there with another content, and goes to Deleted Items. */
  | { readonly act: 'make'; readonly result: 'written' | 'replaced'; readonly instead: StandingMail | undefined }
);

export interface DecisionContext {
  readonly mode: RestoreMode;
  readonly tag: string | undefined;
  readonly places: MailPlaces;
}

/** Compares a row with what stands at the destination for the same message. */
export function decideMail(row: ItemRow, standing: readonly StandingMail[], { mode, tag, places }: DecisionContext): MailDecision {
  const beside = mode === 'separate';
  const own = standing.filter(({ id, mark }) => (mark === undefined ? !beside && id === idOfKey(row.key) : mark.beside === beside));
  const leftovers = own.filter(({ mark }) => mark?.whole === false);
  const there = own.filter((one) => !leftovers.includes(one));
  const content = contentOf(row);
  const same = there.filter((one) => (one.mark === undefined ? isSameContent(one, row) : one.mark.content === content));
  if (beside) return { leftovers, ...(same.length > 0 ? { act: 'nothing', result: 'unchanged' } : { act: 'make', result: 'written', instead: undefined }) };
  const place = places.find(row.parent);
  const wasDeleted = places.wasDeleted(row.parent);
  const isLost = ({ folderId }: StandingMail): boolean => wasDeleted === undefined && places.isDeleted(folderId);
  if (mode === 'skip' && there.some((one) => !isLost(one))) return { leftovers, act: 'nothing', result: 'skipped' };
  const [best] = same.toSorted((a, b) => rank(b) - rank(a));
  if (best === undefined) {
    const instead = mode === 'replace' ? there.find((one) => !isLost(one) && !places.isDeleted(one.folderId)) : undefined;
    return { leftovers, act: 'make', result: instead === undefined ? 'written' : 'replaced', instead };
  }
  // Into Recoverable Items nothing is moved: it would be a deletion.
  const move = best.folderId !== place && wasDeleted !== 'recoverable';
  const state = !sameState(stateOf(row.meta), stateOf(best.meta), tag);
  if (!move && !state) return { leftovers, act: 'nothing', result: 'unchanged' };
  return { leftovers, act: 'mend', result: isLost(best) ? 'written' : 'replaced', standing: best, move, state };

  function rank(one: StandingMail): number {
    return (one.folderId === place ? 4 : 0) + (isLost(one) ? 0 : 2) + (one.mark === undefined ? 1 : 0);
  }
}
