import { InterceptedStorage, type Storage, type StorageCall } from '../../src/storage/index.ts';

/** Stops whoever uses it before their `stopAt`-th call from now, until `go` is called: what SIGSTOP does to a process. */
export class StoppedStorage extends InterceptedStorage {
  /** Resolves when the call is reached. */
  readonly stopped: Promise<void>;
  /** Calls so far, those that wait included. */
  calls = 0;
  /** The call that was stopped, for messages. */
  stoppedAt = 'nothing';
  readonly #stopAt: number;
  readonly #go: Promise<void>;
  #reached: () => void = () => {};
  #release: () => void = () => {};

  constructor(inner: Storage, stopAt: number) {
    super(inner);
    this.#stopAt = stopAt;
    this.stopped = new Promise((resolve) => { this.#reached = resolve; });
    this.#go = new Promise((resolve) => { this.#release = resolve; });
  }

  go(): void {
    this.#release();
  }

  protected override async around<T>(call: StorageCall, run: () => Promise<T>): Promise<T> {
    this.calls++;
    if (this.calls === this.#stopAt) {
      this.stoppedAt = `${this.calls}: ${call.operation} ${call.name}`;
      this.#reached();
    }
    // A stopped process makes no other call either.
    if (this.calls >= this.#stopAt) await this.#go;
    return run();
  }
}
