import type { HoldfastError } from '../../../domain/index.ts';
import type { SourceChange } from '../../contract.ts';
import { hasCode } from '../graph/graphErrors.ts';
import type { SubService, SubServiceContext } from './subService.ts';

/** Errors that concern one part of a mailbox alone, as long as another can be read; any other ends the run. */
const OF_PART = ['no-permission', 'refused', 'not-found', 'unavailable', 'odd-answer'];

/** A part of a mailbox whose items were listed, and whose changes wait on disk until their turn: or why they could not be. */
export class ListedPart {
  readonly service: SubService;
  readonly context: SubServiceContext;
  readonly #iterator: AsyncIterator<readonly SourceChange[]>;
  #first: IteratorResult<readonly SourceChange[]> | undefined;
  #error: HoldfastError | undefined;

  private constructor(service: SubService, context: SubServiceContext) {
    this.service = service;
    this.context = context;
    this.#iterator = service.enumerate(context)[Symbol.asyncIterator]();
  }

  static async list(service: SubService, context: SubServiceContext): Promise<ListedPart> {
    const part = new ListedPart(service, context);
    try {
      part.#first = await part.#iterator.next();
    } catch (error) {
      if (!hasCode(error, ...OF_PART)) throw error;
      part.#error = error;
    }
    return part;
  }

  /** Why nothing of it was read. */
  get error(): HoldfastError | undefined { return this.#error; }

  async *changes(): AsyncGenerator<readonly SourceChange[]> {
    for (let step = this.#first; step !== undefined && step.done !== true; step = await this.#iterator.next()) yield step.value;
  }

  /** Lets go of what is open; safe at any time. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
