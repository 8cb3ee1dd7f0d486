import { constants } from 'node:zlib';

/** How much work goes into making data small. Any profile reads what another wrote. */
export interface Profile {
  readonly name: 'default' | 'fast' | 'small';
  /** Bytes of one frame before compression. */
  readonly frameBytes: number;
  /** zstd parameters. */
  readonly params: Readonly<Record<number, number>>;
}

const { ZSTD_c_compressionLevel: LEVEL, ZSTD_c_strategy: STRATEGY, ZSTD_c_hashLog: HASH, ZSTD_c_minMatch: MATCH, ZSTD_c_windowLog: WINDOW } = constants;

/** The fastest strategy with a table of 2^hash entries that looks for matches of so many bytes in the whole frame. */
const quick = (hash: number, match: number, window: number): Record<number, number> => ({
  [LEVEL]: 1, [STRATEGY]: constants.ZSTD_fast, [HASH]: hash, [MATCH]: match, [WINDOW]: window,
});

/** Measured on 100,000 mails, see docs/decisions/0009: larger tables for the quick strategy beat zstd's own levels 2 to 4. */
export const PROFILES: Readonly<Record<Profile['name'], Profile>> = {
  default: { name: 'default', frameBytes: 1024 * 1024, params: quick(15, 7, 20) },
  fast: { name: 'fast', frameBytes: 1024 * 1024, params: { [LEVEL]: 1 } },
  small: { name: 'small', frameBytes: 2 * 1024 * 1024, params: quick(17, 6, 21) },
};
