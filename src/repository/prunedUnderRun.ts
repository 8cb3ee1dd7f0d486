import { HoldfastError } from '../domain/index.ts';

/** The run lost a race with a prune in a way that only a new run can mend. */
export function prunedUnderRun(): HoldfastError {
  return new HoldfastError('repository/pruned-under-run', 'resume',
    'A prune removed data that this run relied on before it could be sealed. Nothing sealed is affected; the run starts again.');
}
