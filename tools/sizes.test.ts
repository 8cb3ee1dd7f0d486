import { expect, test } from 'vitest';
import { checkSizes } from './sizes.ts';

test('warns past 300 lines and fails past 500', () => {
  const files = [300, 301, 500, 501].map((lines) => ({ path: `src/a${lines}.ts`, lines }));
  const { warnings, errors } = checkSizes(files);
  expect(warnings.map(({ path }) => path)).toEqual(['src/a301.ts', 'src/a500.ts']);
  expect(errors.map(({ path }) => path)).toEqual(['src/a501.ts']);
});
