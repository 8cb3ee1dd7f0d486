import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';

/** Stops whoever uses it before their `stopAt`-th call from now, or the first for which it answers true, until `go` is called: what SIGSTOP does to a process. */
export class StoppedStorage extends InterceptedStorage {
  /** Resolves when the call is reached. */
  readonly stopped: Promise<void>;
  /** Calls so far, those that wait included. */
  calls = 0;
  /** The call that was stopped, for messages. */
  stoppedAt = 'nothing';
  readonly #stopAt: (call: StorageCall, calls: number) => boolean;
  #isStopped = false;
  readonly #go: Promise<void>;
  #reached: () => void = () => {};
  #release: () => void = () => {};

  constructor(inner: Storage, stopAt: number | ((call: StorageCall) => boolean)) {
    super(inner);
    this.#stopAt = typeof stopAt === 'number' ? (_, calls) => calls === stopAt : stopAt;
    this.stopped = new Promise((resolve) => { this.#reached = resolve; });
    this.#go = new Promise((resolve) => { this.#release = resolve; });
  }

  go(): void {
    this.#release();
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    this.calls++;
    if (!this.#isStopped && this.#stopAt(call, this.calls)) {
      this.#isStopped = true;
      this.stoppedAt = `${this.calls}: ${call.operation} ${call.name}`;
      this.#reached();
    }
    // A stopped process makes no other call either.
    if (this.#isStopped) await this.#go;
    return run();
  }
}

/** For {@link StoppedStorage}: the `nth` put of such a name. */
export function putOf(prefix: string, nth = 1): (call: StorageCall) => boolean {
  let puts = 0;
  return ({ operation, name }) => operation === 'put' && name.startsWith(prefix) && ++puts === nth;
}
