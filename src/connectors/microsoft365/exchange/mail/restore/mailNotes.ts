import type { ItemRow } from '../../../../../domain/index.ts';
import type { ChangeNote } from '../../../../contract.ts';
import { idOfKey, NAME } from '../mailKeys.ts';
import type { MailDecision } from './mailDecision.ts';
import { stateOf, tagged, type MailState } from './mailState.ts';
import type { StandingMail } from './standingMails.ts';

/** A mail in a folder. */
export interface MailPlace {
  readonly id: string;
  readonly folderId: string;
}

/** What is about to be done about one mail: it is made, or a standing one is moved and its state set (and made where that one is gone meanwhile). */
export interface MailNote extends ChangeNote {
  readonly part: typeof NAME;
  readonly act: 'mail';
  /** Id of the mail that was backed up. */
  readonly source: string;
  /** Where it comes; null: into a folder that is not made yet. */
  readonly folderId: string | null;
  /** Its state afterwards. */
  readonly state: MailState;
  /** The mail that is mended, as it was; null: one is made. */
  readonly standing: (MailPlace & { readonly state: MailState }) | null;
  /** Others that go to Deleted Items, and where they were. */
  readonly instead: readonly MailPlace[];
  /** It may come as a stream, upon which nothing is written until it is there. */
  readonly isStream: boolean;
}

/** What came of it. */
export interface MailOutcome {
  readonly id: string;
  readonly folderId: string;
  /** Its change key then; '' where the service did not tell. */
  readonly change: string;
  /** It was made. */
  readonly made: boolean;
}

export interface MailFolderNote extends ChangeNote {
  readonly isFolder: true;
  readonly part: typeof NAME;
  readonly act: 'folder';
  readonly name: string;
  readonly parentId: string;
}

/** A folder gets its name or its place back. */
export interface MailFolderMendNote extends ChangeNote {
  readonly isFolder: true;
  readonly part: typeof NAME;
  readonly act: 'mendFolder';
  readonly id: string;
  readonly before: { readonly name: string; readonly parentId: string };
  readonly after: { readonly name: string; readonly parentId: string };
}

export function mailNote(row: ItemRow, decision: Exclude<MailDecision, { act: 'nothing' }>, { folderId, tag, isStream }: { readonly folderId: string | undefined; readonly tag: string | undefined; readonly isStream: boolean }): MailNote {
  const standing = decision.act === 'mend' ? decision.standing : undefined;
  const isSet = decision.act === 'make' || decision.state || tag !== undefined;
  const state = standing === undefined || isSet ? tagged(stateOf(row.meta), tag) : stateOf(standing.meta);
  return {
    part: NAME, act: 'mail', item: row.name, source: idOfKey(row.key), folderId: folderId ?? null, state,
    standing: standing === undefined ? null : { ...placeOf(standing), state: stateOf(standing.meta) }, instead: decision.instead.map(placeOf), isStream,
  };
}

function placeOf({ id, folderId }: StandingMail): MailPlace {
  return { id, folderId };
}
