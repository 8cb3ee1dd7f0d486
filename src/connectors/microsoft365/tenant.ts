import { RequestBudget, RestClient, type BudgetLimits, type RestFailure } from '../../rest/index.ts';
import type { Progress } from '../../domain/index.ts';
import { findMailbox, listMailboxes, type Mailbox } from './directory/mailboxes.ts';
import { GraphClient } from './graph/graphClient.ts';
import { explainFailure, isCrowded } from './graph/graphErrors.ts';
import { checkSettings, SYSTEM_RUNTIME, type Cloud, type Microsoft365Runtime, type Microsoft365Settings } from './settings.ts';
import { AppTokens } from './signIn/appTokens.ts';

/** Fact 4: for each application and mailbox. */
const MAILBOX_LIMITS: BudgetLimits = {
  requests: 10_000, requestWindowMs: 600_000, concurrent: 4, uploadBytes: 150 * 1024 * 1024, uploadWindowMs: 300_000,
};

/** The product calls itself by name and version, as Microsoft asks of those who make many requests (fact 14). */
const USER_AGENT = 'ISV|Holdfast|Holdfast/0.1';

/** One tenant, reached as one application. All sessions of a process share its tokens and its budgets. */
export class Tenant {
  readonly graph: GraphClient;
  readonly runtime: Microsoft365Runtime;
  readonly cloud: Cloud;
  readonly #tokens: AppTokens;
  readonly #budgets = new Map<string, RequestBudget>();
  readonly #listeners = new Map<string, Progress>();

  /** Throws 'microsoft365/settings' and 'microsoft365/certificate' for what cannot work; nothing is sent yet. */
  constructor(settings: Microsoft365Settings, runtime: Microsoft365Runtime = SYSTEM_RUNTIME) {
    const hosts = checkSettings(settings);
    this.runtime = runtime;
    this.cloud = settings.cloud ?? 'global';
    this.#tokens = new AppTokens(settings, hosts, runtime);
    const { clock, sleep, random, attempts, limits, onExchange } = runtime;
    this.graph = new GraphClient(new RestClient({
      baseUrl: `${hosts.graphUrl}/v1.0`, tokens: this.#tokens, headers: { 'user-agent': USER_AGENT },
      explain: (failure: RestFailure) => explainFailure(failure), isCrowded, clock, sleep, random,
      ...(attempts === undefined ? {} : { attempts }), ...(limits === undefined ? {} : { limits }), ...(onExchange === undefined ? {} : { onExchange }),
    }));
  }

  /** Wrong settings show now: signs in, or throws a sentence that says what to change. */
  async signIn(signal: AbortSignal): Promise<void> {
    await this.#tokens.token(signal);
  }

  /** Everybody who has a mailbox, shared and unlicensed ones too, in batches. */
  mailboxes(signal: AbortSignal): AsyncGenerator<readonly Mailbox[]> {
    return listMailboxes(this.graph, this.runtime, signal);
  }

  /** The mailbox of an address; 'microsoft365/unknown-mailbox' where nobody has it. */
  async mailbox(address: string, signal: AbortSignal): Promise<Mailbox> {
    return await findMailbox(this.graph, address, signal);
  }

  /** What the service permits this application on one mailbox. */
  budget(userId: string): RequestBudget {
    let budget = this.#budgets.get(userId);
    if (budget === undefined) {
      const onWait = (untilMs: number): void => this.#listeners.get(userId)?.({ type: 'waiting', for: "Microsoft 365's limit of requests", untilMs });
      budget = new RequestBudget(this.runtime.mailboxLimits ?? MAILBOX_LIMITS, { clock: this.runtime.clock, sleep: this.runtime.sleep, onWait });
      this.#budgets.set(userId, budget);
    }
    return budget;
  }

  /** Who is told when requests to a mailbox have to wait; undefined: nobody. */
  tellWaits(userId: string, progress: Progress | undefined): void {
    if (progress === undefined) this.#listeners.delete(userId);
    else this.#listeners.set(userId, progress);
  }
}
