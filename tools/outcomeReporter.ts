/** A vitest reporter that writes how every test ended, with the reason of a skip, to the file named by HOLDFAST_TEST_OUTCOMES. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Outcome } from './testOutcome.ts';

interface Failure {
  readonly message?: string;
}

export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly Failure[]): void {
    const file = process.env['HOLDFAST_TEST_OUTCOMES'];
    if (file === undefined) throw new Error('HOLDFAST_TEST_OUTCOMES names no file for the outcomes');
    const outcomes = modules.flatMap(outcomesOf);
    for (const error of unhandled) outcomes.push({ name: 'error outside of any test', state: 'failed', reason: firstLine([error]) });
    writeFileSync(file, JSON.stringify(outcomes));
  }
}

function outcomesOf(module: TestModule): Outcome[] {
  const file = relative(process.cwd(), module.moduleId);
  const outcomes = [...module.children.allTests()].map((test) => outcomeOf(file, test));
  const suites = [...module.children.allSuites()].flatMap((suite) => suite.errors().map((error) => ({ name: suite.fullName, error })));
  for (const { name, error } of suites) outcomes.push({ name: `${file} > ${name}`, state: 'failed', reason: firstLine([error]) });
  const errors = module.errors();
  if (errors.length > 0) outcomes.push({ name: file, state: 'failed', reason: firstLine(errors) });
  else if (outcomes.length === 0) outcomes.push({ name: file, state: 'failed', reason: 'it holds no test, or did not end' });
  return outcomes;
}

function outcomeOf(file: string, test: TestCase): Outcome {
  const name = `${file} > ${test.fullName}`;
  const result = test.result();
  if (result.state === 'passed') return { name, state: 'passed', reason: '' };
  if (result.state === 'skipped') return { name, state: 'skipped', reason: result.note ?? '' };
  if (result.state === 'failed') return { name, state: 'failed', reason: firstLine(result.errors) };
  return { name, state: 'failed', reason: 'it did not end' };
}

function firstLine(errors: readonly Failure[]): string {
  return (errors[0]?.message ?? 'unknown error').split('\n')[0] ?? '';
}
