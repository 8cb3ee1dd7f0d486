import type { LeftOut, Segment } from '../formats/index.ts';
import { encodedAs, type StoredPart } from '../repository/index.ts';

export interface PartBytes {
  readonly leftOut: LeftOut;
  /** The bytes behind a placeholder. */
  readonly bytes: (segment: Exclude<Segment, Uint8Array>) => AsyncGenerator<Uint8Array>;
}

/** The bytes that segments stand for: those that were left out are read when it is their turn. */
export function partBytes(segments: readonly Segment[], { leftOut, bytes }: PartBytes): { readonly size: number; readonly pieces: AsyncGenerator<Uint8Array> } {
  const size = segments.reduce<number>((sum, one) => sum + (one instanceof Uint8Array ? one.length : leftOut.sizes[one.number]?.[one.as] ?? 0), 0);
  return { size, pieces: flowing(segments, bytes) };
}

async function* flowing(segments: readonly Segment[], bytes: PartBytes['bytes']): AsyncGenerator<Uint8Array> {
  for (const one of segments) {
    if (one instanceof Uint8Array) yield one;
    else yield* bytes(one);
  }
}

/** A stored part, decoded or as its base64 with single line feeds, none behind the last line. */
export async function* storedBytes(part: StoredPart | undefined, as: 'bytes' | 'text'): AsyncGenerator<Uint8Array> {
  if (part === undefined) return;
  if (as === 'bytes' || part.base64 === undefined) {
    yield* part.pieces();
    return;
  }
  const layout = { ...part.base64, eol: 'lf', finalEol: false } as const;
  const line = (layout.lineLength / 4) * 3;
  let rest = Buffer.alloc(0);
  let isFirst = true;
  for await (const piece of part.pieces()) {
    const all = Buffer.concat([rest, piece]);
    // The last line waits: it alone may be short.
    const end = all.length <= line ? 0 : all.length - (all.length % line || line);
    if (end > 0) yield Buffer.concat([...(isFirst ? [] : [Buffer.from('\n')]), encodedAs(layout, all.subarray(0, end))]);
    isFirst &&= end === 0;
    rest = all.subarray(end);
  }
  if (rest.length > 0) yield Buffer.concat([...(isFirst ? [] : [Buffer.from('\n')]), encodedAs(layout, rest)]);
}
