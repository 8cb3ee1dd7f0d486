/** Checks the length of files: a warning past 300 lines, an error past 500. Run: `bin/node tools/sizes.ts` */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesUnder, report } from './modules.ts';
import type { Finding } from './modules.ts';

/** Past this a file is probably more than one thing. */
export const WARN_LINES = 300;
export const MOST_LINES = 500;

export interface Sized {
  readonly path: string;
  readonly lines: number;
}

/** Splits what is too long into warnings and errors. */
export function checkSizes(files: readonly Sized[]): { warnings: Finding[]; errors: Finding[] } {
  const finding = ({ path, lines }: Sized): Finding => ({
    path,
    line: lines,
    message: `${lines} lines (warning past ${WARN_LINES}, error past ${MOST_LINES}): is it still one thing?`,
  });
  return {
    warnings: files.filter(({ lines }) => lines > WARN_LINES && lines <= MOST_LINES).map(finding),
    errors: files.filter(({ lines }) => lines > MOST_LINES).map(finding),
  };
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  const files = filesUnder(root, ['src', 'simulators', 'tests', 'tools'], '.ts').map((path) => ({
    path,
    lines: readFileSync(join(root, path), 'utf8').trimEnd().split('\n').length,
  }));
  if (files.length === 0) throw new Error(`no file was read in ${root}`);
  const { warnings, errors } = checkSizes(files);
  for (const { path, message } of warnings) console.log(`warning: ${path}: ${message}`);
  report('sizes', files.length, 'files', errors);
}
