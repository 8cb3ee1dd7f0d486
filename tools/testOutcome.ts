/** How one test, or one step that counts as one, ended. */
export interface Outcome {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped, in one line; '' where it passed. */
  readonly reason: string;
}

/**
 * The closing lines of a run: what failed, what was skipped and why, and last the line
 * `N passed, N failed, N skipped`.
 */
export function closingLines(outcomes: readonly Outcome[]): string[] {
  const of = (state: Outcome['state']): Outcome[] => outcomes.filter((outcome) => outcome.state === state);
  const lines: string[] = [];
  for (const { name, reason } of of('failed')) lines.push(`failed: ${name}${reason === '' ? '' : `: ${reason}`}`);
  for (const { name, reason } of of('skipped')) lines.push(`skipped: ${name}: ${reason === '' ? 'no reason given' : reason}`);
  lines.push(`${of('passed').length} passed, ${of('failed').length} failed, ${of('skipped').length} skipped`);
  return lines;
}

/** A run that tested nothing has not passed. */
export function succeeded(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({ state }) => state === 'passed') && !outcomes.some(({ state }) => state === 'failed');
}

/**
 * What the test runner's own report leaves out: a runner that ended badly (a crash, an unhandled error, its time over)
 * while every test that it reported passed is one failure more.
 */
export function withRunner(
  outcomes: readonly Outcome[], runner: { readonly code: number | undefined; readonly timedOut: boolean },
): Outcome[] {
  const failed = outcomes.some(({ state }) => state === 'failed');
  if (runner.timedOut) return [...outcomes, { name: 'test runner', state: 'failed', reason: 'its time was over before it had ended' }];
  if (runner.code === 0 || failed) return [...outcomes];
  return [...outcomes, { name: 'test runner', state: 'failed', reason: `ended with exit code ${runner.code ?? 'none'}` }];
}
