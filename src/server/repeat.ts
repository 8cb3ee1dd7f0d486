import { messageOf } from '../domain/index.ts';
import { sleep, type Logger } from '../runtime/index.ts';

/** Work that is done again and again. */
export interface Repeated {
  readonly name: string;
  /** Between one time and the next. */
  readonly everyMs: number;
  readonly work: () => Promise<unknown>;
}

/** Wakes a {@link repeat} before its time. */
export class Bell {
  #ring: () => void = () => undefined;

  ring(): void {
    this.#ring();
  }

  /** Rejects with the signal's reason on abort. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const rung = new AbortController();
    this.#ring = () => rung.abort();
    try {
      await sleep(ms, AbortSignal.any([signal, rung.signal]));
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
}

/** Does the work now and at each interval or ring, until `signal` is aborted. A time that fails is told, and followed by the next one. */
export async function repeat({ name, everyMs, work }: Repeated, log: Logger, signal: AbortSignal, bell = new Bell()): Promise<void> {
  while (!signal.aborted) {
    // Before the work: what comes in meanwhile is seen by the next time.
    const rest = bell.wait(everyMs, signal).catch(() => undefined);
    try {
      await work();
    } catch (error) {
      log.warn('background work', { name, message: messageOf(error) });
    }
    await rest;
  }
}
