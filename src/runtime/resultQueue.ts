/** Hands results of several producers to one consumer; producers wait while more than `capacity` weight is queued. */
export class ResultQueue<T> {
  readonly #items: { readonly value: T; readonly weight: number }[] = [];
  readonly #capacity: number;
  #weight = 0;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducers: (() => void)[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** False once nobody takes results any more. */
  async push(value: T, weight: number): Promise<boolean> {
    while (!this.#closed && this.#weight > 0 && this.#weight + weight > this.#capacity) {
      await new Promise<void>((resolve) => this.#wakeProducers.push(resolve));
    }
    if (this.#closed) return false;
    this.#items.push({ value, weight });
    this.#weight += weight;
    this.#wakeConsumer?.();
    return true;
  }

  /** What is queued is still handed out, then the iteration ends, or throws `error`. */
  end(error?: unknown): void {
    if (error !== undefined) this.#failure ??= { error };
    this.#closed = true;
    this.#wakeConsumer?.();
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakeProducers.splice(0)) wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = this.#items.shift();
        if (next !== undefined) {
          this.#weight -= next.weight;
          this.#wake();
          yield next.value;
        } else if (this.#closed) {
          if (this.#failure !== undefined) throw this.#failure.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeConsumer = resolve;
          });
          this.#wakeConsumer = undefined;
        }
      }
    } finally {
      this.end();
    }
  }
}
