import type { ItemRow } from '../../../../../domain/index.ts';
import type { RestoreMode } from '../../../../contract.ts';
import { idOfKey } from '../mailKeys.ts';
import { contentOf, isSameContent } from './mailIdentity.ts';
import type { MailPlaces } from './mailPlaces.ts';
import { sameState, stateOf } from './mailState.ts';
import type { StandingMail } from './standingMails.ts';

interface Aside {
  /** Ours, and never finished: they go before anything else. */
  readonly leftovers: readonly StandingMail[];
  /** The message with another content, which gives way to Deleted Items. */
  readonly instead: readonly StandingMail[];
}

/** What a restore does about one mail. `mend`: it stands there with this content; it is moved, or its state is set, or both. */
export type MailDecision =
  | (Aside & { readonly act: 'nothing'; readonly result: 'unchanged' | 'skipped' })
  | (Aside & { readonly act: 'mend'; readonly result: 'written' | 'replaced'; readonly standing: StandingMail; readonly move: boolean; readonly state: boolean })
  | (Aside & { readonly act: 'make'; readonly result: 'written' | 'replaced' });

interface DecisionContext {
  readonly mode: RestoreMode;
  readonly tag: string | undefined;
  readonly places: MailPlaces;
}

/** Compares a row with what stands at the destination for the same message. */
export function decideMail(row: ItemRow, standing: readonly StandingMail[], context: DecisionContext): MailDecision {
  const beside = context.mode === 'separate';
  const source = idOfKey(row.key);
  // The message itself may once have been made by a restore, too: then it has an origin, which is another message.
  const made = standing.filter(({ id, origin }) => id !== source && origin?.source === source && origin.beside === beside);
  const leftovers = made.filter(({ origin }) => origin?.whole === false);
  const itself = beside ? [] : standing.filter(({ id }) => id === source);
  const there = [...itself, ...made.filter((one) => !leftovers.includes(one))];
  const content = contentOf(row);
  const isMade = ({ origin }: StandingMail): boolean => origin?.source === source && origin.content === content;
  const same = there.filter((one) => isMade(one) || (itself.includes(one) && isSameContent(one, row)));
  if (!beside) return inPlace(row, { itself, there, same, leftovers }, context);
  const aside = { leftovers, instead: [] };
  return same.length > 0 ? { ...aside, act: 'nothing', result: 'unchanged' } : { ...aside, act: 'make', result: 'written' };
}

interface Found {
  /** The message by its id. */
  readonly itself: readonly StandingMail[];
  /** It, and what restores made of it. */
  readonly there: readonly StandingMail[];
  /** Those of them with the content of the row. */
  readonly same: readonly StandingMail[];
  readonly leftovers: readonly StandingMail[];
}

function inPlace(row: ItemRow, { itself, there, same, leftovers }: Found, { mode, tag, places }: DecisionContext): MailDecision {
  const place = places.find(row.parent);
  const wasDeleted = places.wasDeleted(row.parent);
  /** What was deleted since comes back. */
  const isLost = ({ folderId }: StandingMail): boolean => wasDeleted === undefined && places.isDeleted(folderId);
  if (mode === 'skip' && there.some((one) => !isLost(one))) return { leftovers, instead: [], act: 'nothing', result: 'skipped' };
  // Another content that a restore made may be in the snapshot itself, as a mail of its own: it stays.
  const instead = mode === 'skip' ? [] : itself.filter((one) => !same.includes(one) && !places.isDeleted(one.folderId));
  const rank = (one: StandingMail): number => (one.folderId === place ? 4 : 0) + (isLost(one) ? 0 : 2) + (one.id === idOfKey(row.key) ? 1 : 0);
  const [best] = same.toSorted((a, b) => rank(b) - rank(a));
  if (best === undefined) return { leftovers, instead, act: 'make', result: instead.length === 0 ? 'written' : 'replaced' };
  // Into Recoverable Items nothing is moved: it would be a deletion.
  const move = best.folderId !== place && wasDeleted !== 'recoverable';
  const state = !sameState(stateOf(row.meta), stateOf(best.meta), tag);
  if (!move && !state && instead.length === 0) return { leftovers, instead, act: 'nothing', result: 'unchanged' };
  return { leftovers, instead, act: 'mend', result: isLost(best) ? 'written' : 'replaced', standing: best, move, state };
}
