import { isHoldfastError } from '../domain/index.ts';
import type { RandomBytes } from './random.ts';
import { sleep as realSleep } from './sleep.ts';
import type { Sleep } from './sleep.ts';

/** What a retry is about to do, for progress displays. */
export interface RetryNotice {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: unknown;
}

export interface RetryOptions {
  /** Source of the jitter. */
  readonly random: RandomBytes;
  /** How often `work` is called at most. Default 5. */
  readonly attempts?: number;
  /** Longest wait before the second attempt; doubles with each further one. Default 200. */
  readonly firstDelayMs?: number;
  /** No wait that is computed here is longer. Default 10000. */
  readonly maxDelayMs?: number;
  /** How much of the delay chance decides: the upper half (default), or all of it, where many callers fail together. */
  readonly jitter?: 'half' | 'full';
  readonly sleep?: Sleep;
  readonly signal?: AbortSignal;
  readonly onRetry?: (notice: RetryNotice) => void;
}

const DEFAULTS = { attempts: 5, firstDelayMs: 200, maxDelayMs: 10_000, jitter: 'half' as const, sleep: realSleep };

/**
 * Calls `work` until it succeeds, fails with anything but a HoldfastError of class `retry`, or the attempts are used
 * up; then rejects with the last error. Waits half to all of a doubling delay between attempts (or none to all); where the error's
 * `data.retryAfterMs` asks for more, it waits that long. Aborting the signal ends a wait with the signal's reason.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const settings = { ...DEFAULTS, ...options };
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      settings.signal?.throwIfAborted();
      if (attempt >= settings.attempts || !isHoldfastError(error) || error.retryClass !== 'retry') throw error;
      const asked = error.data['retryAfterMs'];
      const ceiling = Math.min(settings.maxDelayMs, settings.firstDelayMs * 2 ** (attempt - 1));
      const delayMs = Math.max(withJitter(ceiling, settings), typeof asked === 'number' ? asked : 0);
      settings.onRetry?.({ attempt, delayMs, error });
      await settings.sleep(delayMs, settings.signal);
    }
  }
}

/** Evenly spread, so that many callers that failed together do not come back together. */
function withJitter(ceilingMs: number, { random, jitter }: Pick<RetryOptions, 'random' | 'jitter'>): number {
  const fraction = random(4).readUInt32BE() / 2 ** 32;
  return Math.round(jitter === 'full' ? ceilingMs * fraction : (ceilingMs / 2) * (1 + fraction));
}
