import { catalogTargets } from './catalogTargets.ts';
import { containerTargets } from './containerTargets.ts';
import { contentTargets } from './contentTargets.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { plantedTargets } from './plantedTargets.ts';
import { previewTargets } from './previewTargets.ts';
import { recordTargets } from './recordTargets.ts';
import { textTargets } from './textTargets.ts';

/** Every parser of bytes that somebody else may have written. A new one is one more entry in one of the tables. */
export const fuzzTargets: readonly FuzzTarget[] = [...recordTargets, ...containerTargets, ...contentTargets, ...textTargets, ...previewTargets, ...catalogTargets];

/** Throws where there is no such target. */
export function fuzzTarget(name: string): FuzzTarget {
  const target = [...fuzzTargets, ...plantedTargets].find((one) => one.name === name);
  if (!target) throw new Error(`no target ${name}; there are: ${fuzzTargets.map((one) => one.name).join(', ')}`);
  return target;
}
