/** What computes, and tells for how long it did: a worker thread. */
export interface Computing {
  cpuUsage(before?: NodeJS.CpuUsage): Promise<NodeJS.CpuUsage>;
}

export interface SlowListener {
  /** After which time, in words. */
  readonly slow: (took: string) => void;
  /** How long it has computed cannot be told. */
  readonly failed: (error: unknown) => void;
}

/** However little of the processor it gets. */
const LONGEST_WAIT_MS = 10 * 60_000;

/**
 * Calls back once `computing` has computed for `limitMs`, or was waited for as long as anybody waits; gives what ends that. Not the time on the
 * wall alone: on a busy machine it would condemn contents that are harmless.
 */
export function whenTooSlow(computing: Computing, limitMs: number, { slow, failed }: SlowListener): () => void {
  let before: NodeJS.CpuUsage | undefined;
  const look = async (): Promise<void> => {
    before ??= await computing.cpuUsage();
    const { user, system } = await computing.cpuUsage(before);
    if (user + system >= limitMs * 1000) slow(`${Math.ceil(limitMs / 1000)} s`);
  };
  const looks = setInterval(() => void look().catch((error: unknown) => { if (!isNotRunning(error)) failed(error); }), limitMs / 4);
  const last = setTimeout(() => slow(`${LONGEST_WAIT_MS / 60_000} minutes`), LONGEST_WAIT_MS);
  return () => {
    clearInterval(looks);
    clearTimeout(last);
  };
}

/** One that does not run yet, or no longer, has no usage: it is looked at again, and its end is heard of elsewhere. */
function isNotRunning(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_NOT_RUNNING';
}
