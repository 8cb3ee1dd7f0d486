import { seededNumbers } from '../repository/seeded.ts';

/** What a target is fed with. */
export interface FuzzFood {
  /** Valid inputs: the first cases, as they are. */
  readonly samples: readonly Uint8Array[];
  /** Pieces that mean something to the parser. */
  readonly words?: readonly string[];
}

type Next = () => number;

const NUMBERS = [0, 1, 2, 3, 7, 24, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];
const MOST = 1 << 18;

/** The input of one case: follows from the food, the seed and the number alone. */
export function inputOf({ samples, words = [] }: FuzzFood, seed: number, number: number): Buffer {
  const whole = samples[number];
  if (whole) return Buffer.from(whole);
  const next = seededNumbers(seed ^ Math.imul(number + 1, 0x9e3779b1));
  const base = Buffer.from(pick(next, samples) ?? []);
  if (next() < 0.6) {
    const odd = oddJson(base, next);
    if (odd) return odd;
  }
  let input: Buffer = base;
  for (let steps = 1 + Math.floor(next() * 5); steps > 0; steps--) input = mutate(input, pick(next, samples) ?? base, words, next);
  return input.subarray(0, MOST);
}

function pick<T>(next: Next, all: readonly T[]): T | undefined {
  return all[Math.floor(next() * all.length)];
}

/** Where a mutation strikes, and what it may use. */
interface Strike {
  readonly input: Buffer;
  readonly at: number;
  readonly end: number;
  readonly other: Uint8Array;
  readonly words: readonly string[];
  readonly next: Next;
}

const MUTATIONS: readonly ((strike: Strike) => Buffer)[] = [
  ({ input, at, next }) => changed(input, at, (byte) => byte ^ (1 << Math.floor(next() * 8))),
  ({ input, at, next }) => changed(input, at, () => (pick(next, NUMBERS) ?? 0) & 255),
  ({ input, at, next }) => {
    const copy = Buffer.from(input);
    if (at + 4 <= copy.length) copy.writeUInt32LE(nearby(copy.readUInt32LE(at), next), at);
    return copy;
  },
  ({ input, at, end }) => Buffer.concat([input.subarray(0, at), input.subarray(end)]),
  ({ input, at }) => Buffer.from(input.subarray(0, at)),
  ({ input, at, end }) => Buffer.concat([input.subarray(0, end), input.subarray(at)]),
  ({ input, at, other, next }) => Buffer.concat([input.subarray(0, at), other.subarray(Math.floor(next() * other.length))]),
  ({ input, at, end, words, next }) => Buffer.concat([input.subarray(0, at), Buffer.from(pick(next, words) ?? ''), input.subarray(end)]),
  ({ input, at, end, next }) =>
    Buffer.concat([input.subarray(0, at), Buffer.alloc(Math.floor(2 ** (next() * 14)), pick(next, NUMBERS) ?? 0), input.subarray(end)]),
];

function changed(input: Buffer, at: number, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(input);
  if (at < copy.length) copy[at] = change(copy[at] ?? 0);
  return copy;
}

function mutate(input: Buffer, other: Uint8Array, words: readonly string[], next: Next): Buffer {
  const at = Math.floor(next() * (input.length + 1));
  const end = at + Math.floor(next() ** 3 * (input.length - at));
  return pick(next, MUTATIONS)?.({ input, at, end, other, words, next }) ?? input;
}

/** A number that some check may have forgotten: a limit, or one beside what stood there. */
function nearby(value: number, next: Next): number {
  return next() < 0.5 ? pick(next, NUMBERS) ?? 0 : (value + Math.floor(next() * 9) - 4) >>> 0;
}

const ODD: readonly unknown[] = [
  null, true, 0, -1, 0.5, 1e308, 2 ** 53, 4294967295, '', 'x', '../..', '\u0000', '9'.repeat(400), [], [[]], {}, [null], { id: null }, { length: 9 }, '__proto__',
];

/** JSON with one or two of its values exchanged, taken away or doubled; undefined where the bytes are no JSON. */
function oddJson(bytes: Buffer, next: Next): Buffer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  for (let steps = 1 + Math.floor(next() * 2); steps > 0; steps--) value = exchange(value, next);
  return Buffer.from(JSON.stringify(value) ?? 'null');
}

function exchange(value: unknown, next: Next): unknown {
  if (typeof value !== 'object' || value === null || next() < 0.1) return pick(next, ODD);
  if (Array.isArray(value)) {
    const at = Math.floor(next() * value.length);
    if (next() < 0.2) return [...value, ...value];
    if (next() < 0.2) return value.toSpliced(at, 1);
    return value.length === 0 ? [pick(next, ODD)] : value.with(at, exchange(value[at], next));
  }
  const entries = Object.entries(value);
  const at = Math.floor(next() * entries.length);
  if (next() < 0.2) return Object.fromEntries(entries.toSpliced(at, 1));
  return Object.fromEntries(entries.map(([name, member], i) => [name, i === at ? exchange(member, next) : member]));
}
