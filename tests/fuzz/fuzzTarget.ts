import type { FuzzFood } from './mutate.ts';

/** One parser under the fuzzer. */
export interface FuzzTarget extends FuzzFood {
  /** Letters, digits, '-': also the folder of its cases under tests/fuzz/cases. */
  readonly name: string;
  /** Feeds the parser. Errors of these codes are its right answers to wrong input; whatever else it throws is a find. */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Default: what a damaged object may say. */
  readonly codes?: readonly string[];
}

export const DAMAGE: readonly string[] = ['repository/damaged', 'repository/too-new', 'repository/unknown-epoch'];
