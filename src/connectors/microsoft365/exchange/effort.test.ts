import { expect, test } from 'vitest';
import type { SourceChange, SourceItem } from '../../contract.ts';
import { RunEffort } from './effort.ts';
import type { SubService } from './subService.ts';

function itemOf(part: string, place: number): SourceItem {
  return { key: `${part}/${place}`, parent: '', name: '', kind: 'item', size: 1, modified: null, change: '', meta: '' };
}

test('what needs no content counts for nothing, and what turns out to be less than was expected is not waited for', () => {
  let requests = 0;
  const service = { name: 'mail' } as SubService;
  const effort = new RunEffort([service], () => requests);
  effort.expect(service, 1000);
  effort.begin();
  expect(effort.now).toEqual({ done: 0, total: 1000 });
  effort.given(service, Array.from({ length: 500 }, (_, at): SourceChange => ({ type: 'item', item: itemOf('mail', at), content: { from: at < 50 ? 'fetch' : 'kept' } })));
  for (let at = 0; at < 50; at++) {
    requests++;
    effort.fetched(service, [itemOf('mail', at)]);
  }
  const { done, total } = effort.now;
  expect(done).toBe(50);
  // One in ten needs one, as far as anybody knows.
  expect(total).toBeGreaterThan(95);
  expect(total).toBeLessThan(120);
  effort.expect(service, 500);
  expect(effort.now).toEqual({ done: 50, total: 50 });
});
