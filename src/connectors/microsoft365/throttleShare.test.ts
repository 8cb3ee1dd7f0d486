import { expect, test } from 'vitest';
import { throttleShare } from '../../../tests/bench/throttleShare.ts';

const MAILBOXES = 50;

/** The documented limits with fewer requests, so that hours pass in seconds; the full size is tests/soak/exchange.soak.ts. */
test(`${MAILBOXES} mailboxes at once use nearly all that the service permits, and almost nothing is refused`, async () => {
  const { requests, refused, permitted } = await throttleShare({ mailboxes: MAILBOXES, requests: 60, windows: 3 });
  expect((requests - refused) / permitted, `${requests} requests, ${refused} refused, ${permitted} permitted`).toBeGreaterThanOrEqual(0.95);
  expect(refused).toBeLessThanOrEqual(requests / 100);
}, 240_000);
