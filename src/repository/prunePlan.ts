import type { PackUse } from './livenessMarks.ts';
import { PACK_BYTES } from './pack.ts';

/** A pack is rewritten when more than this share of its bytes can be gained; measured by tests/bench/churn.ts. */
const WORTH_REWRITING = 0.25;
/** Dead bytes inside a frame are gained only where so little of it is needed that it is packed anew. */
const LEAST_LIVE = 0.5;
/** Packs below this size are put together when there are many: every run leaves one or two. */
const SMALL_PACK = PACK_BYTES / 4;
const MANY_SMALL = 16;

export interface StreamPlan {
  readonly stream: string;
  /** Nothing in them is needed. */
  readonly dead: readonly string[];
  /** What is needed of them is copied first. */
  readonly rewrite: readonly string[];
  /** Bytes of the packs that stay untouched, and how many of those nobody needs. */
  readonly kept: number;
  readonly deadKept: number;
  /** Bytes of the packs that go, less what is copied of them (about). */
  readonly freed: number;
}

/** What is known of the packs of one stream. */
export interface StreamPacks {
  readonly stream: string;
  /** All that stand, with their bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  /** What the index says of their use. */
  readonly uses: Iterable<PackUse>;
  /** Announced for deletion by another pruner. */
  readonly announced: ReadonlySet<string>;
  /** These cannot go yet: what is needed of them may be copied, and they wait. */
  readonly locked: ReadonlySet<string>;
  /** Old enough that no running backup can have just written it. */
  readonly ripe: (pack: string) => boolean;
}

interface Judged {
  readonly pack: string;
  readonly size: number;
  readonly gain: number;
  readonly dead: number;
}

/** Decides what becomes of each pack. */
export function planStream(packs: StreamPacks): StreamPlan {
  const dead: string[] = [];
  const rewrite: Judged[] = [];
  const small: Judged[] = [];
  const totals = { kept: 0, deadKept: 0, freed: 0 };
  const keep = (judged: Judged): void => {
    totals.kept += judged.size;
    totals.deadKept += judged.dead;
  };
  const mayGo = (pack: string): boolean => !packs.locked.has(pack) && (packs.ripe(pack) || packs.announced.has(pack));
  const isSmall = ({ pack, size }: Judged): boolean => size < SMALL_PACK && packs.ripe(pack) && !packs.locked.has(pack);
  const unused = new Set(packs.sizes.keys());
  for (const use of packs.uses) {
    const size = packs.sizes.get(use.pack);
    if (size === undefined || use.frames.every((frame) => frame.live === 0)) continue;
    unused.delete(use.pack);
    const judged = judge(use, size);
    if (packs.announced.has(use.pack) || judged.gain > size * WORTH_REWRITING) rewrite.push(judged);
    else if (isSmall(judged)) small.push(judged);
    else keep(judged);
  }
  if (small.length >= MANY_SMALL) rewrite.push(...small);
  else small.forEach(keep);
  for (const pack of unused) {
    const size = packs.sizes.get(pack) ?? 0;
    if (mayGo(pack)) {
      dead.push(pack);
      totals.freed += size;
    } else keep({ pack, size, gain: size, dead: size });
  }
  // Those that are locked stay for a while, whole.
  rewrite.filter(({ pack }) => packs.locked.has(pack)).forEach(keep);
  for (const judged of rewrite.filter(({ pack }) => !packs.locked.has(pack))) {
    totals.freed += judged.gain;
    totals.kept += judged.size - judged.gain;
    totals.deadKept += judged.dead - judged.gain;
  }
  return { stream: packs.stream, dead, rewrite: rewrite.map((judged) => judged.pack), ...totals };
}

function judge(use: PackUse, size: number): Judged {
  let gain = 0;
  let dead = 0;
  for (const frame of use.frames) {
    const unused = frame.plain === 0 ? 0 : frame.length * (1 - Math.min(1, frame.live / frame.plain));
    dead += unused;
    if (frame.live < frame.plain * LEAST_LIVE) gain += unused;
  }
  return { pack: use.pack, size, gain: Math.round(gain), dead: Math.round(dead) };
}
