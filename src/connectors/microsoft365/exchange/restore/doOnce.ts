import { HoldfastError, isHoldfastError } from '../../../../domain/index.ts';
import { USUAL_ATTEMPTS } from '../../../../rest/index.ts';
import { retry } from '../../../../runtime/index.ts';
import type { MailboxAccess } from '../subService.ts';

/**
 * Does what must not be done twice. Where its answer was lost, so that nobody knows whether it was done, `look` tells what it made (undefined: nothing)
 * before it is done again.
 */
export async function doOnce<T>({ runtime }: Pick<MailboxAccess, 'runtime'>, signal: AbortSignal, work: { act(): Promise<T>; look(): Promise<T | undefined> }): Promise<T> {
  const { random, sleep, attempts = USUAL_ATTEMPTS } = runtime;
  let isUnsure = false;
  return await retry(async () => {
    try {
      const found = isUnsure ? await work.look() : undefined;
      return found ?? await work.act();
    } catch (error) {
      signal.throwIfAborted();
      if (!isHoldfastError(error)) throw error;
      const isLost = error.retryClass === 'resume' && error.data['status'] !== 429;
      isUnsure ||= isLost;
      // Whatever may be repeated was repeated below already.
      const retryClass = isLost ? 'retry' : error.retryClass === 'retry' ? 'resume' : error.retryClass;
      throw new HoldfastError(error.code, retryClass, error.message, { data: error.data, cause: error });
    }
  }, { ...attempts, random, sleep, signal, jitter: 'full' });
}
