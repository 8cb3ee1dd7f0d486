import { expect, test } from 'vitest';
import { TestService } from './testService.ts';

test('when the service ends, its streams end whole and nobody is taken in any more', async () => {
  const service = await TestService.start();
  const owner = await service.owner();
  const { body } = await owner.request('GET', '/api/v1/activity/events');
  const reader = body!.getReader();
  const first = await reader.read();
  expect(Buffer.from(first.value ?? []).toString()).toContain('gap');
  const ended = service[Symbol.asyncDispose]();
  for (;;) {
    const { done } = await reader.read();
    if (done) break;
  }
  await ended;
  expect(service.log.map(({ event }) => event)).toEqual(expect.arrayContaining(['stopping', 'stopped']));
  await expect(fetch(`${service.url}/healthz`)).rejects.toThrow('fetch failed');
});
