import type { AccountsContext, Origin, SignIn } from '../accounts/index.ts';
import type { Principal } from '../domain/index.ts';
import type { Logger } from '../runtime/index.ts';
import type { ActivityFeed } from './activityFeed.ts';
import type { Metrics } from './metrics.ts';
import type { RateLimit } from './rateLimit.ts';

/** What all routes work with. */
export interface ApiServices {
  readonly accounts: AccountsContext;
  readonly signIn: SignIn;
  readonly feed: ActivityFeed;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Of calls by nobody in particular that make something: accounts and mails. */
  readonly newcomers: RateLimit;
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
export interface CallContext {
  readonly services: ApiServices;
  readonly principal: Principal | undefined;
  readonly origin: Origin;
  readonly cookie: string | undefined;
  /** Aborted when the caller is gone. */
  readonly gone: AbortSignal;
  /** Goes to the answer. */
  readonly answer: Headers;
}
