import { constants } from 'node:fs';
import type { EntryAttributes } from './entryAttributes.ts';
import type { BinaryString } from '../../domain/index.ts';

/** What a row of this connector says besides the common fields. */
export interface ItemMeta {
  /** Permission bits with setuid, setgid and sticky: 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970 UTC, exact. */
  readonly mtimeNs: bigint;
  /** A symbolic link's target, byte for byte. */
  readonly target?: BinaryString;
  /** Set where several names share one file: the same dev and ino mean the same file at the time of the listing. */
  readonly hardLink?: { readonly links: number; readonly dev: string; readonly ino: string };
}

interface StoredMeta {
  m: string;
  u: number;
  g: number;
  t: string;
  l?: BinaryString;
  n?: number;
  d?: string;
  i?: string;
}

/** The JSON kept with the row: m mode in octal digits, u uid, g gid, t mtime in ns, l target, n links, d dev, i ino. */
export function encodeItemMeta(stats: EntryAttributes, target: BinaryString | undefined): string {
  const stored: StoredMeta = {
    m: (Number(stats.mode) & 0o7777).toString(8),
    u: Number(stats.uid),
    g: Number(stats.gid),
    t: stats.mtimeNs.toString(),
  };
  if (target !== undefined) stored.l = target;
  if (stats.nlink > 1n && (Number(stats.mode) & constants.S_IFMT) !== constants.S_IFDIR) {
    stored.n = Number(stats.nlink);
    stored.d = stats.dev.toString();
    stored.i = stats.ino.toString();
  }
  return JSON.stringify(stored);
}

/** Reads what {@link encodeItemMeta} wrote; undefined for '' (an item whose attributes could not be read) and for what it did not write. */
export function decodeItemMeta(meta: string): ItemMeta | undefined {
  if (meta === '') return undefined;
  const stored = parsed(meta);
  if (!stored) return undefined;
  return {
    mode: Number.parseInt(stored.m, 8),
    uid: stored.u,
    gid: stored.g,
    mtimeNs: BigInt(stored.t),
    ...(stored.l === undefined ? {} : { target: stored.l }),
    ...(stored.n === undefined ? {} : { hardLink: { links: stored.n, dev: stored.d ?? '', ino: stored.i ?? '' } }),
  };
}

function parsed(meta: string): StoredMeta | undefined {
  let value: Partial<StoredMeta> | null;
  try {
    value = JSON.parse(meta) as Partial<StoredMeta> | null;
  } catch {
    return undefined;
  }
  const sound = /^[0-7]{1,6}$/.test(String(value?.m)) && Number.isInteger(value?.u) && Number.isInteger(value?.g) && /^-?\d{1,30}$/.test(String(value?.t));
  return sound ? value as StoredMeta : undefined;
}
