import { containerTargets } from './containerTargets.ts';
import { contentTargets } from './contentTargets.ts';
import type { FuzzTarget } from './fuzzTarget.ts';
import { recordTargets } from './recordTargets.ts';

/** Every parser of bytes that somebody else may have written. A new one is one more entry in one of the tables. */
export const fuzzTargets: readonly FuzzTarget[] = [...recordTargets, ...containerTargets, ...contentTargets];
