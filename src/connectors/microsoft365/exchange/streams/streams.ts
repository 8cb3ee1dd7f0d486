import { isHoldfastError, type HoldfastError, type Outcome } from '../../../../domain/index.ts';
import type { FetchContext, Fetched, SourceItem } from '../../../contract.ts';
import { hasCode, oddAnswer } from '../../graph/graphErrors.ts';
import { ContentOutcomes } from '../items/contentOutcomes.ts';
import { fetchTogether } from '../items/fetchTogether.ts';
import type { MailboxAccess } from '../subService.ts';
import { exportItems, MOST_EXPORTED } from './exportItems.ts';
import { exportPath, isDenial } from './exportPath.ts';
import type { Fidelity } from './fidelity.ts';

const PURPOSE = 'export items as streams (MailboxItem.Export.All)';
/** Bytes of items that are asked for together, by the store's count: an answer is held as a whole, and with it what it is read into. */
const TOGETHER_BYTES = 4 << 20;
/** A larger item is not asked for: base64 of it would be more than is read into memory. */
const LARGEST = 32 << 20;

/**
 * The streams of one mailbox's items, which are kept as their companions. Whether the tenant grants them is asked with the first item that lacks one, so that a
 * run without changes asks for nothing.
 */
export class Streams {
  readonly fidelity: Fidelity;
  /** What the paths of requests begin with; '' while it is not known. */
  base = '';
  readonly #access: MailboxAccess;
  #granted: Promise<boolean> | undefined;
  #denial: HoldfastError | undefined;
  readonly #outcomes = new Map<string, ContentOutcomes>();
  /** Large ones are read one after the other, however many are asked for at once. */
  #large: Promise<unknown> = Promise.resolve();

  constructor(access: MailboxAccess, fidelity: Fidelity) {
    this.#access = access;
    this.fidelity = fidelity;
  }

  /** For a new run. `base`: as an earlier one found it. */
  begin(base: string): void {
    this.base = base;
    this.#granted = undefined;
    this.#denial = undefined;
    this.#outcomes.clear();
  }

  /** Why there are none; undefined where they are given, or none was asked for. */
  get denial(): HoldfastError | undefined { return this.#denial; }

  /** The forms in which the items of a part are kept after this run. */
  get reached(): Fidelity { return this.#denial === undefined ? this.fidelity : 'mime'; }

  /** Whether the tenant gives streams to this application. `id`: of an item that is there. */
  async areGranted(id: string, signal: AbortSignal): Promise<boolean> {
    this.#granted ??= this.#probe(id, signal);
    return await this.#granted;
  }

  async #probe(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#export([id], signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!isHoldfastError(error)) throw error;
      if (isDenial(error)) {
        this.#denial = error;
        return false;
      }
      // It may be about this item, or this moment: each is named alone then.
      if (error.code === 'http/too-large' || hasCode(error, 'refused', 'unavailable', 'odd-answer')) return true;
      throw error;
    }
  }

  /** An item is offered again because of how its stream ended in an earlier run. */
  offeredAgain(item: SourceItem, outcome: Outcome): void {
    this.#outcomesOf(item).offeredAgain(item, outcome);
  }

  /** Some stream of the part's items could not be had. */
  haveFailed(part: string): boolean {
    return this.#outcomes.get(part)?.hasFailed === true;
  }

  /** Companions in portions that are asked for together, each of one part of the mailbox. */
  portions(items: readonly SourceItem[]): SourceItem[][] {
    const portions: SourceItem[][] = [];
    let bytes = TOGETHER_BYTES;
    for (const item of items) {
      const last = portions.at(-1);
      bytes += item.size;
      if (last?.[0] !== undefined && partOf(last[0]) === partOf(item) && last.length < MOST_EXPORTED && bytes <= TOGETHER_BYTES) last.push(item);
      else {
        portions.push([item]);
        bytes = item.size;
      }
    }
    return portions;
  }

  /** Companions of one portion. */
  async fetch(items: readonly SourceItem[], context: FetchContext): Promise<readonly Fetched[]> {
    const [first] = items;
    if (first === undefined || first.size <= TOGETHER_BYTES) return await this.#fetchPart(items, context);
    const turn = this.#large.then(async () => await this.#fetchPart(items, context));
    // Whoever asked is told of the error.
    this.#large = turn.catch(() => undefined);
    return await turn;
  }

  async #fetchPart(items: readonly SourceItem[], context: FetchContext): Promise<readonly Fetched[]> {
    const [first] = items;
    if (first === undefined) return [];
    if (first.size > LARGEST) return items.map((item) => ({ item, outcome: TOO_LARGE }));
    return await fetchTogether(items, context, {
      outcomes: this.#outcomesOf(first),
      contents: async (some, { signal }) => await this.#contents(some, signal),
      content: async (item, { signal }) => {
        const [content] = await this.#contents([item], signal);
        if (content === undefined) throw oddAnswer('the item that was to be exported');
        if (isHoldfastError(content)) throw content;
        return content;
      },
    });
  }

  async #contents(items: readonly SourceItem[], signal: AbortSignal): Promise<readonly (Fetched | HoldfastError | undefined)[]> {
    const streams = await this.#export(items.map(({ parent }) => parent.replace(/^[^/]+\/[^/]+\//, '')), signal);
    return items.map((item, place) => {
      const bytes = streams[place];
      if (bytes === undefined || isHoldfastError(bytes)) return bytes;
      const { key, parent, name, kind, modified, change, meta } = item;
      return { item: { key, parent, name, kind, size: bytes.length, modified, change, meta }, bytes };
    });
  }

  /** A path that an earlier run found, and that leads nowhere any more, is asked for anew. */
  async #export(ids: readonly string[], signal: AbortSignal): Promise<readonly (Buffer | HoldfastError | undefined)[]> {
    const access = this.#access;
    const isKnown = this.base !== '';
    if (!isKnown) this.base = await exportPath(access, signal);
    try {
      return await exportItems({ access, base: this.base }, ids, PURPOSE, signal);
    } catch (error) {
      if (!isKnown || !hasCode(error, 'not-found', 'no-mailbox')) throw error;
      this.base = await exportPath(access, signal);
      return await exportItems({ access, base: this.base }, ids, PURPOSE, signal);
    }
  }

  #outcomesOf(item: SourceItem): ContentOutcomes {
    const part = partOf(item);
    let outcomes = this.#outcomes.get(part);
    if (outcomes === undefined) {
      outcomes = new ContentOutcomes(this.#access, 'full-fidelity stream', true);
      this.#outcomes.set(part, outcomes);
    }
    return outcomes;
  }
}

function partOf({ key }: SourceItem): string {
  return key.slice(0, key.indexOf('/'));
}

const TOO_LARGE: Outcome = {
  state: 'skipped', code: 'stream-too-large', message: 'Its full-fidelity stream is not kept: the item is larger than 32 MB. It is kept in its readable form.',
};
