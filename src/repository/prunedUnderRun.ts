import { HoldfastError, isHoldfastError } from '../domain/index.ts';

/** The run lost a race with a prune in a way that only a new run can mend. */
export function prunedUnderRun(): HoldfastError {
  return new HoldfastError('repository/pruned-under-run', 'resume',
    'A prune removed data that this run relied on before it could be sealed. Nothing sealed is affected; the run starts again.');
}

/** True for errors after which the same run may be started again at once. */
export function isPrunedUnderRun(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'repository/pruned-under-run';
}
