import assert from 'node:assert/strict';
import { TimeLeft } from '../../src/cli/timeLeft.ts';
import type { SourceChange, SourceItem } from '../../src/connectors/contract.ts';
import { RunEffort } from '../../src/connectors/microsoft365/exchange/effort.ts';
import type { SubService } from '../../src/connectors/microsoft365/exchange/subService.ts';

/** What the service permits in ten minutes is 10,000 requests: each takes so long on this clock, and nothing else does. */
const REQUEST_MS = 60;
const BATCH = 256;

export interface CostedPart {
  readonly name: string;
  readonly items: number;
  /** Requests for the contents of ten items one after the other: again and again the same. */
  readonly each: readonly number[];
  /** What the part says that an item takes. */
  readonly usual?: number;
}

function itemOf(part: string, place: number, kind = 'item'): SourceItem {
  return { key: `${part}/${place}`, parent: '', name: '', kind, size: 1, modified: null, change: '', meta: '' };
}

/** Goes through the parts as a backup does, and compares what is said to be left with what is: the worst of it after the first tenth, as a share. */
export function worstEstimate(parts: readonly CostedPart[]): number {
  let requests = 0;
  const clock = { now: () => requests * REQUEST_MS, monotonic: () => requests * REQUEST_MS };
  const services = parts.map(({ name, usual }) => ({ name, ...(usual === undefined ? {} : { requests: usual }) }) as SubService);
  const effort = new RunEffort(services, () => requests);
  const left = new TimeLeft(clock);
  const said: { readonly at: number; readonly left: number }[] = [];
  for (const [place, { items }] of parts.entries()) effort.expect(services[place] as SubService, items + 5);
  // Listing.
  requests += 40;
  effort.begin();
  const started = requests;
  for (const [place, { name, items, each }] of parts.entries()) {
    const service = services[place] as SubService;
    effort.given(service, Array.from({ length: 5 }, (_, folder): SourceChange => ({ type: 'item', item: itemOf(name, -folder, 'folder'), content: { from: 'none' } })));
    for (let start = 0; start < items; start += BATCH) {
      const some = Array.from({ length: Math.min(BATCH, items - start) }, (_, at) => itemOf(name, start + at));
      effort.given(service, some.map((item): SourceChange => ({ type: 'item', item, content: { from: 'fetch' } })));
      for (const [at, item] of some.entries()) {
        requests += each[(start + at) % each.length] ?? 0;
        effort.fetched(service, [item]);
        const { done, total } = effort.now;
        left.note(done);
        const estimate = left.of(total);
        if (estimate !== undefined) said.push({ at: requests, left: estimate });
      }
    }
  }
  const took = requests - started;
  const judged = said.filter(({ at }) => at - started >= took * 0.1 && at - started <= took * 0.95);
  assert.ok(judged.length > 100, `${judged.length} estimates`);
  return Math.max(...judged.map(({ at, left: estimate }) => Math.abs(estimate / ((requests - at) * REQUEST_MS) - 1)));
}
