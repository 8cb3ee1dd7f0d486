import type { Clock } from '../server/clock.ts';
import { GraphFailure } from '../server/graphFailure.ts';

/** How long delta tokens of one kind live. */
export interface DeltaTokenLife {
  /** A number that goes into the token. */
  issue(): number;
  /** Throws where a token of that number lives no more. `restart`: the address of a full round. */
  check(issue: number, restart: string): void;
}

const DIRECTORY_DAYS = 7;

/** Fact 25: tokens of directory objects live seven days; then 410 with the address to start again (fact 24). */
export class DirectoryTokenLife implements DeltaTokenLife {
  readonly #clock: Clock;
  #evictedBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(): number {
    return this.#clock.now();
  }

  evictAll(): void {
    this.#evictedBefore = this.#clock.now() + 1;
  }

  check(issue: number, restart: string): void {
    if (issue >= this.#evictedBefore && this.#clock.now() - issue <= DIRECTORY_DAYS * 86_400_000) return;
    throw new GraphFailure(410, 'resyncRequired', 'The delta token is expired or not valid; start again without one.', { Location: restart });
  }
}

/**
 * Fact 25: tokens of a mailbox have no fixed life; the oldest go when the mailbox's store of them overflows. The two ways in which the service is
 * known to say so are both played: 410 for mail, 404 for the rest of the mailbox.
 */
export class MailboxTokenLife implements DeltaTokenLife {
  capacity = 100_000;
  #issued = 0;
  #evictedUpTo = 0;

  issue(): number {
    this.#issued += 1;
    this.#evictedUpTo = Math.max(this.#evictedUpTo, this.#issued - this.capacity);
    return this.#issued;
  }

  evictAll(): void {
    this.#evictedUpTo = this.#issued;
  }

  check(issue: number): void {
    if (issue > this.#evictedUpTo) return;
    throw new GraphFailure(410, 'SyncStateNotFound', 'The sync state generation is not found; start a new synchronisation.');
  }

  /** The same store of tokens, told in the other way. */
  asNotFound(): DeltaTokenLife {
    return {
      issue: () => this.issue(),
      check: (issue) => {
        if (issue <= this.#evictedUpTo) throw new GraphFailure(404, 'syncStateNotFound', 'The sync state generation is not found; start a new synchronisation.');
      },
    };
  }
}
