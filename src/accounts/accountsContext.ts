import type { Database } from '../database/index.ts';
import type { Clock, RandomBytes } from '../runtime/index.ts';
import type { ServiceKeys } from './serviceKeys.ts';

/** A place that the data of accounts can be in; the operator's choice. */
export interface Location {
  readonly id: string;
  readonly name: string;
  /** Where the repositories of its accounts are. */
  readonly storage: string;
}

/** What all of this folder works with. */
export interface AccountsContext {
  readonly database: Database;
  readonly keys: ServiceKeys;
  readonly locations: readonly Location[];
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** Where a call comes from, as the audit log notes it. */
export interface Origin {
  readonly address: string | undefined;
  readonly agent: string | undefined;
}
