import type { ChangeNote } from '../../../contract.ts';
import type { Entry } from '../../graph/pages.ts';
import type { NAME } from './settingsParts.ts';

/** A category or a rule is about to be made, or something of them or of the mailbox's settings set. */
export interface SettingNote extends ChangeNote {
  readonly part: typeof NAME;
  readonly act: 'make' | 'change';
  /** Of the part of the settings. */
  readonly prefix: string;
  /** '' for one that is made, and for the settings themselves. */
  readonly id: string;
  /** What is set, as it was. */
  readonly before: Entry;
  readonly after: Entry;
}

export interface SettingOutcome {
  /** Of one that was made. */
  readonly id?: string;
  /** What was set, as the service showed it then. */
  readonly shown: Entry;
}
