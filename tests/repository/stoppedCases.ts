import { prune, type Manifest, type Repository } from '../../src/repository/index.ts';
import type { Storage } from '../../src/storage/index.ts';
import { backupTree, HOUR, TestClock } from './fixture.ts';
import { NEXT, type StoppedRounds } from './stoppedRounds.ts';

/** Somebody who is stopped before an operation, and what runs to its end meanwhile. */
export interface StoppedCase {
  readonly name: string;
  readonly stopped: 'writer' | 'pruner';
  /** Runs it at every `step`-th operation; answers how many operations there were. */
  run(rounds: StoppedRounds, step: number): Promise<number>;
}

const write = (repository: Repository, clock: TestClock): Promise<Manifest> => backupTree(repository, 'e', NEXT, clock);

async function take(repository: Repository): Promise<undefined> {
  await prune(repository, { keepLast: 1 }, { graceMs: 0 });
}

export const STOPPED_CASES: readonly StoppedCase[] = [{
  name: 'a writer is stopped while a prune runs to its end',
  stopped: 'writer',
  run: (rounds, step) => rounds.everywhere(step, write, async (storage, clock) => {
    await rounds.pruned(storage, clock);
    return [];
  }),
}, {
  name: 'a writer whose clock is a day behind is stopped while a prune runs',
  stopped: 'writer',
  run: (rounds, step) => {
    const late = new TestClock();
    late.time -= 24 * HOUR;
    return rounds.everywhere(step, (repository) => backupTree(repository, 'late', NEXT, late), async (storage, clock) => {
      await prune(await rounds.open(storage, clock), { keepLast: 1 }, { graceMs: HOUR });
      await rounds.pruned(storage, clock);
      return [];
    });
  },
}, {
  name: 'a pruner is stopped while a backup and another prune run to their end',
  stopped: 'pruner',
  run: (rounds, step) => rounds.everywhere(step, take, async (storage, clock) => {
    const made = await writeBeside(rounds, storage, clock);
    await rounds.pruned(storage, clock);
    return [made];
  }),
}, {
  name: 'a pruner is stopped while another prune and then a backup run to their end',
  stopped: 'pruner',
  run: (rounds, step) => rounds.everywhere(step, take, async (storage, clock) => {
    await rounds.pruned(storage, clock);
    return [await writeBeside(rounds, storage, clock)];
  }),
}];

async function writeBeside(rounds: StoppedRounds, storage: Storage, clock: TestClock): Promise<Manifest> {
  return await write(await rounds.open(storage, clock), clock);
}
