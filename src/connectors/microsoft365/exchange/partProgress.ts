import type { Progress } from '../../../domain/index.ts';

/** Each part of a mailbox counts its own items; the run's count goes on where that of the part before ended. */
export class PartProgress {
  readonly #progress: Progress;
  #before = 0;
  #latest = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** For the next part. */
  next(): Progress {
    this.#before += this.#latest;
    this.#latest = 0;
    return (event) => {
      if (event.type !== 'progress') {
        this.#progress(event);
        return;
      }
      this.#latest = Math.max(this.#latest, event.items);
      const { totalItems } = event;
      this.#progress({ ...event, items: this.#before + event.items, ...(totalItems === undefined ? {} : { totalItems: this.#before + totalItems }) });
    };
  }
}
