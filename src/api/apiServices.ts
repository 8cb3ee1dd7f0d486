import type { AccountsContext, Origin, Outbox, SignIn, SupportDesk } from '../accounts/index.ts';
import type { Logger } from '../runtime/index.ts';
import type { TasksContext } from '../tasks/index.ts';
import type { Caller } from './admit.ts';
import type { ActivityFeed } from './activityFeed.ts';
import type { Metrics } from './metrics.ts';
import type { RateLimit } from './rateLimit.ts';

/** What all routes work with. */
export interface ApiServices {
  readonly accounts: AccountsContext;
  readonly tasks: TasksContext;
  readonly signIn: SignIn;
  readonly outbox: Outbox;
  /** Whether there is a mail server: then mails are nobody's business here. */
  readonly sendsMail: boolean;
  readonly feed: ActivityFeed;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Of calls by nobody in particular that make something: accounts and mails. */
  readonly newcomers: RateLimit;
  /** Of tries to sign in, by e-mail address: many machines together guess no faster than one. */
  readonly signIns: RateLimit;
  /** Of passwords that a user in person is asked for again, by user; and of those that are tried elsewhere on behalf of an account. */
  readonly passwordTries: RateLimit;
  readonly support: SupportDesk;
  /** Of tickets and what is added to them, by account: each is a mail. */
  readonly tickets: RateLimit;
  /** Where people reach the service: an URL without a path. */
  readonly publicUrl: string;
  /** What does not answer at the moment; none: all is well. */
  readonly notReady: (signal: AbortSignal) => Promise<readonly string[]>;
  /** Opens /metrics for others than the machine itself. */
  readonly metricsToken: string | undefined;
  /** Aborted when the service is about to end: streams end then. */
  readonly stopping: AbortSignal;
}

/** What one request brings to its route. */
export interface CallContext extends Caller {
  readonly services: ApiServices;
  readonly origin: Origin;
  readonly cookie: string | undefined;
  /** Aborted when the caller is gone. */
  readonly gone: AbortSignal;
  /** Goes to the answer. */
  readonly answer: Headers;
}
