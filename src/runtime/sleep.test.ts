import { expect, test } from 'vitest';
import { sleep } from './sleep.ts';

test('resolves after the time', async () => {
  await expect(sleep(1)).resolves.toBeUndefined();
});

test('rejects with the reason, both when aborted before and while waiting', async () => {
  const reason = new Error('enough');
  await expect(sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});
