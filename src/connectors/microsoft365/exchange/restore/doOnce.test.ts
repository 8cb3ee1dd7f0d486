import { expect, test } from 'vitest';
import { HoldfastError } from '../../../../domain/index.ts';
import { quickRuntime } from '../../testing/testTenant.ts';
import { doOnce } from './doOnce.ts';

const { signal } = new AbortController();
const error = (retryClass: 'retry' | 'resume' | 'never', data: Record<string, number> = {}): HoldfastError => new HoldfastError('test/answer', retryClass, 'no', { data });

/** Acts answer as the list says, the last answer for ever. */
async function run(answers: readonly (string | HoldfastError)[], looks: readonly (string | undefined)[] = []): Promise<{ done: string[]; result: unknown }> {
  const done: string[] = [];
  const next = <T>(list: readonly T[], name: string): T | undefined => {
    done.push(name);
    return list[Math.min(done.filter((one) => one === name).length, list.length) - 1];
  };
  const result: unknown = await doOnce({ runtime: quickRuntime() }, signal, {
    act: () => {
      const answer = next(answers, 'act');
      return answer instanceof HoldfastError ? Promise.reject(answer) : Promise.resolve(answer);
    },
    look: () => Promise.resolve(next(looks, 'look')),
  }).catch((reason: unknown) => reason);
  return { done, result };
}

test('an answer that was lost is looked for before the work is done again', async () => {
  expect(await run(['made'])).toEqual({ done: ['act'], result: 'made' });
  expect(await run([error('resume'), 'made'], ['found'])).toEqual({ done: ['act', 'look'], result: 'found' });
  expect(await run([error('resume'), 'made'], [undefined])).toEqual({ done: ['act', 'look', 'act'], result: 'made' });
});

test('what was refused, and what was repeated enough below, is not done again', async () => {
  for (const refusal of [error('never'), error('retry'), error('resume', { status: 429 })]) expect((await run([refusal, 'made'])).done).toEqual(['act']);
  expect((await run([error('resume')])).done.filter((one) => one === 'act')).toHaveLength(7);
});
