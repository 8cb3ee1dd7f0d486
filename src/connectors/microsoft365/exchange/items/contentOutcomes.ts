import { isHoldfastError, type Outcome } from '../../../../domain/index.ts';
import { isConnectionError } from '../../../../rest/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';
import { assertMailbox } from '../assertMailbox.ts';
import type { MailboxAccess } from '../subService.ts';

/** Contents in a row that the network would not give, or that were not permitted: then it is not about these items. */
const MOST_IN_A_ROW = 12;
/** Of contents in a row that are not there, the first and each of these asks whether the mailbox is. */
const ASKED_EACH = 12;
/** Codes of outcomes: listed and not found, for the first time and again. */
const VANISHED = 'vanished';
const MISSING = 'missing';

/** Tells what concerns one item alone from what ends the run. */
export class ContentOutcomes {
  /** Some content could not be had. */
  hasFailed = false;
  readonly #access: MailboxAccess;
  readonly #noun: string;
  readonly #isListedApart: boolean;
  #inARow = 0;
  #missingInARow = 0;
  /** Items that an earlier run did not find either, and that are still listed. */
  readonly #missedBefore = new WeakSet<SourceItem>();

  /** `noun`: what an item is called in a sentence: 'mail'. `isListedApart`: what lists them needs another permission than their content: without that each is named, and the run goes on. */
  constructor(access: MailboxAccess, noun: string, isListedApart = false) {
    this.#access = access;
    this.#noun = noun;
    this.#isListedApart = isListedApart;
  }

  /** An item is offered again because of how it ended in an earlier run. Told by the object that is fetched later. */
  offeredAgain(item: SourceItem, { code }: Outcome): void {
    if (code === VANISHED || code === MISSING) this.#missedBefore.add(item);
  }

  /** The content that `read` gives, or what became of it. What is not found is asked for twice: the service may know less in one place than in another. */
  async of(item: SourceItem, { signal }: FetchContext, read: () => Promise<Fetched>): Promise<Fetched> {
    try {
      const fetched = await read().catch(async (error: unknown) => {
        if (!hasCode(error, 'not-found')) throw error;
        return await read();
      });
      this.#inARow = 0;
      this.#missingInARow = 0;
      return fetched;
    } catch (error) {
      signal.throwIfAborted();
      return { item, outcome: hasCode(error, 'not-found') ? await this.#missing(item, signal) : this.#outcomeOf(error) };
    }
  }

  /** No proof of a deletion: what was deleted the next listing tells, and what is still listed the next run fetches. */
  async #missing(item: SourceItem, signal: AbortSignal): Promise<Outcome> {
    this.hasFailed = true;
    if (this.#missingInARow++ % ASKED_EACH === 0) await assertMailbox(this.#access, signal);
    const noun = this.#noun;
    if (this.#missedBefore.has(item)) {
      return { state: 'failed', code: MISSING, message: `Microsoft 365 lists this ${noun} in each run, but does not find it when it is fetched. Look whether the ${noun} can be opened.` };
    }
    return { state: 'skipped', code: VANISHED, message: `Microsoft 365 listed this ${noun}, but had it no longer when it was fetched: it was deleted meanwhile, or the next run fetches it.` };
  }

  #outcomeOf(error: unknown): Outcome {
    const isOfItem = hasCode(error, 'refused', 'unavailable', 'odd-answer') || (this.#isListedApart && hasCode(error, 'no-permission'))
      || (isHoldfastError(error) && error.code === 'http/too-large');
    if (!isOfItem && !isConnectionError(error) && !hasCode(error, 'no-permission')) throw error;
    if (!isOfItem && ++this.#inARow > MOST_IN_A_ROW) throw error;
    this.hasFailed = true;
    return { state: 'failed', code: 'unreadable', message: `Microsoft 365 does not give this ${this.#noun}: ${isHoldfastError(error) ? error.message : ''}` };
  }
}
