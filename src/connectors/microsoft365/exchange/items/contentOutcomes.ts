import { isHoldfastError, type Outcome } from '../../../../domain/index.ts';
import { isConnectionError } from '../../../../rest/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { hasCode } from '../../graph/graphErrors.ts';

/** Contents in a row that the network would not give, or that were not permitted: then it is not about these items. */
const MOST_IN_A_ROW = 12;

/** Tells what concerns one item alone from what ends the run. */
export class ContentOutcomes {
  /** Some content could not be had. */
  hasFailed = false;
  readonly #noun: string;
  readonly #isListedApart: boolean;
  #inARow = 0;

  /** `noun`: what an item is called in a sentence: 'mail'. `isListedApart`: what lists them needs another permission than their content: without that each is named, and the run goes on. */
  constructor(noun: string, isListedApart = false) {
    this.#noun = noun;
    this.#isListedApart = isListedApart;
  }

  /** The content that `read` gives, or what became of it. */
  async of(item: SourceItem, { signal }: FetchContext, read: () => Promise<Fetched>): Promise<Fetched> {
    try {
      const fetched = await read();
      this.#inARow = 0;
      return fetched;
    } catch (error) {
      signal.throwIfAborted();
      return { item, outcome: this.#outcomeOf(error) };
    }
  }

  #outcomeOf(error: unknown): Outcome {
    if (hasCode(error, 'not-found')) return { state: 'skipped', code: 'vanished', message: `The ${this.#noun} was deleted while the run went on.` };
    const isOfItem = hasCode(error, 'refused', 'unavailable', 'odd-answer') || (this.#isListedApart && hasCode(error, 'no-permission'))
      || (isHoldfastError(error) && error.code === 'http/too-large');
    if (!isOfItem && !isConnectionError(error) && !hasCode(error, 'no-permission')) throw error;
    if (!isOfItem && ++this.#inARow > MOST_IN_A_ROW) throw error;
    this.hasFailed = true;
    return { state: 'failed', code: 'unreadable', message: `Microsoft 365 does not give this ${this.#noun}: ${isHoldfastError(error) ? error.message : ''}` };
  }
}
