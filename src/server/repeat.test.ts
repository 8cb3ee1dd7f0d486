import { expect, test } from 'vitest';
import type { Logger } from '../runtime/index.ts';
import { Bell, repeat } from './repeat.ts';

const FAR_MS = 3_600_000;

function collect(): { log: Logger; warnings: unknown[] } {
  const warnings: unknown[] = [];
  return { log: { info: () => undefined, error: () => undefined, warn: (_event, fields) => warnings.push(fields) }, warnings };
}

test('a ring brings the next time at once, also one while the work is done; a failure is told and followed by the next time', async () => {
  const { log, warnings } = collect();
  const bell = new Bell();
  const ending = new AbortController();
  let times = 0;
  await repeat({
    name: 'test', everyMs: FAR_MS, work: async () => {
      times++;
      if (times === 4) ending.abort();
      else bell.ring();
      if (times === 2) throw new Error('once');
    },
  }, log, ending.signal, bell);
  expect([times, warnings]).toEqual([4, [{ name: 'test', message: 'once' }]]);
});

test('ends while it waits', async () => {
  const ending = new AbortController();
  const { log } = collect();
  await repeat({ name: 'test', everyMs: FAR_MS, work: async () => { setImmediate(() => ending.abort()); } }, log, ending.signal);
});
