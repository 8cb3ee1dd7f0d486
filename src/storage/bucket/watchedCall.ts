/** What one request to a server works under. */
export interface Watch {
  /** Aborted when the caller stops, or when nothing has moved for too long. */
  readonly signal: AbortSignal;
  /** To be called whenever bytes have moved: the time for silence starts again. */
  progress(): void;
}

/** The server was silent for too long, while connecting or later. */
export class SilentServer extends Error {
  constructor(quietMs: number) {
    super(`nothing was heard from the server for ${quietMs / 1000} s`);
    this.name = 'SilentServer';
  }
}

/**
 * Runs `work`, which ends at the latest `quietMs` after the last progress: it then rejects with {@link SilentServer}.
 * An abort of the caller's signal rejects at once with its reason, whatever `work` does.
 */
export async function watchedCall<T>(
  quietMs: number,
  signal: AbortSignal | undefined,
  work: (watch: Watch) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new SilentServer(quietMs)), quietMs);
  const forward = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', forward, { once: true });
  const ended = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error), { once: true });
  });
  try {
    return await Promise.race([work({ signal: controller.signal, progress: () => timer.refresh() }), ended]);
  } catch (error) {
    // A library wraps the reason in an error of its own.
    if (controller.signal.aborted) throw controller.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', forward);
  }
}

/** All bytes of a body, with progress at each piece. */
export async function collectBody(body: AsyncIterable<Uint8Array | string>, watch: Watch): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    watch.progress();
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    pieces.push(bytes);
    size += bytes.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
