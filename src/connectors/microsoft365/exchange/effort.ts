import { isCompanion, type Effort } from '../../../domain/index.ts';
import type { SourceChange, SourceItem } from '../../contract.ts';
import type { Fidelity } from './streams/fidelity.ts';
import type { SubService } from './subService.ts';

/** Of a stream: twenty come with one request. */
const STREAM = 0.05;
/** So many items count as if they had cost what is usual: the first few of a part decide nothing. */
const USUAL = 16;

interface PartEffort {
  /** What its content takes, of an item, before any was fetched. */
  readonly usual: number;
  /** Changes that it gives in all, as far as known. */
  expected: number;
  /** Of them: given so far, those of items, and those whose content was to be fetched. */
  given: number;
  items: number;
  toFetch: number;
  fetched: number;
  requests: number;
  /** Of the last item the content is fetched; of some only the stream. */
  isLastFetched: boolean;
  isByStream: boolean;
}

/**
 * How much a run still asks of the service. Parts differ: an event costs several requests, twenty notes one. What an item of a part costs, and how many of its changes need a
 * content, is learned while the part is read; before, it is what is usual.
 */
export class RunEffort {
  readonly #parts = new Map<SubService, PartEffort>();
  readonly #spent: () => number;
  #seen: number;
  #done = 0;

  /** `spent`: requests so far, of whatever kind. */
  constructor(services: readonly SubService[], spent: () => number, fidelity: Fidelity = 'mime') {
    for (const service of services) this.#parts.set(service, { usual: usualOf(service, fidelity), expected: 0, given: 0, items: 0, toFetch: 0, fetched: 0, requests: 0, isLastFetched: false, isByStream: false });
    this.#spent = spent;
    this.#seen = spent();
  }

  expect(service: SubService, changes: number): void {
    this.#of(service).expected = changes;
  }

  given(service: SubService, changes: readonly SourceChange[]): void {
    const part = this.#of(service);
    for (const change of changes) {
      if (change.type !== 'item') continue;
      part.given++;
      if (change.item.kind === 'folder') continue;
      const isFetched = change.content.from === 'fetch';
      if (isCompanion(change.item)) {
        // Its stream alone is asked for.
        if (isFetched && !part.isLastFetched) {
          part.isByStream = true;
          part.toFetch++;
        }
        continue;
      }
      part.items++;
      part.isLastFetched = isFetched;
      if (isFetched) part.toFetch++;
    }
  }

  /** Nothing but contents costs requests from here on. */
  begin(): void {
    this.#seen = this.#spent();
  }

  /** Whatever was asked since the last call was for these, or for others of the same part. */
  fetched(service: SubService, items: readonly SourceItem[]): void {
    const part = this.#of(service);
    const spent = this.#spent();
    part.fetched += items.filter((item) => !isCompanion(item) || part.isByStream).length;
    part.requests += spent - this.#seen;
    this.#done += spent - this.#seen;
    this.#seen = spent;
  }

  get now(): Effort {
    const left = [...this.#parts.values()].map(leftOf).reduce((sum, one) => sum + one, 0);
    return { done: this.#done, total: this.#done + left };
  }

  #of(service: SubService): PartEffort {
    const part = this.#parts.get(service);
    if (part === undefined) throw new TypeError(`nothing is known of the part ${service.name}`);
    return part;
  }
}

/** An item with the stream that is kept beside it. */
function usualOf({ requests = 1 }: SubService, fidelity: Fidelity): number {
  if (fidelity === 'mime') return requests;
  return fidelity === 'both' ? requests + STREAM : STREAM;
}

function leftOf({ usual, expected, given, items, toFetch, fetched, requests }: PartEffort): number {
  const each = (requests + usual * USUAL) / (fetched + USUAL);
  const share = (toFetch + USUAL) / (items + USUAL);
  return Math.max(0, toFetch - fetched + Math.max(0, expected - given) * share) * each;
}
