import { constants } from 'node:zlib';

/** How much work goes into making data small. Any profile reads what another wrote. */
export interface Profile {
  readonly name: 'default' | 'fast' | 'small';
  /** Bytes of one frame before compression. */
  readonly frameBytes: number;
  /** zstd parameters. */
  readonly params: Readonly<Record<number, number>>;
}

/** Measured on 8,000 mails, see docs/benchmarks.md. */
export const PROFILES: Readonly<Record<Profile['name'], Profile>> = {
  default: { name: 'default', frameBytes: 512 * 1024, params: { [constants.ZSTD_c_compressionLevel]: 2 } },
  fast: { name: 'fast', frameBytes: 512 * 1024, params: { [constants.ZSTD_c_compressionLevel]: 1 } },
  small: { name: 'small', frameBytes: 2 * 1024 * 1024, params: { [constants.ZSTD_c_compressionLevel]: 4 } },
};
