/** One finished search: how many states there are, and a shortest losing order if there is one. */
export interface Found {
  readonly states: number;
  readonly loss?: { readonly what: string; readonly trace: readonly string[] };
}

export interface Model {
  /** Bytes of a state, a multiple of four. */
  readonly size: number;
  readonly initial: readonly Uint8Array[];
  /** Calls `emit` once for each step that some actor can take from `state`; `emit` copies what it is given. */
  next(state: Uint8Array, emit: (label: string, successor: Uint8Array) => void): void;
  /** What is lost in this state; undefined while all is well. */
  loss(state: Uint8Array): string | undefined;
}

/** States seen so far, one after another in one growing array, with an open-addressed table of their positions. */
class Seen {
  readonly #words: number;
  #states: Int32Array;
  #table = new Int32Array(1 << 18).fill(-1);
  count = 0;

  constructor(size: number) {
    this.#words = size / 4;
    this.#states = new Int32Array(this.#words << 14);
  }

  /** Whether the state was new; it then has the number `count - 1`. */
  add(state: Int32Array): boolean {
    if (this.count * 3 > this.#table.length * 2) this.#grow();
    const slot = this.#slot(state, 0);
    if (this.#table[slot] !== -1) return false;
    this.#table[slot] = this.count;
    const start = this.count * this.#words;
    if (start + this.#words > this.#states.length) {
      const larger = new Int32Array(this.#states.length * 2);
      larger.set(this.#states);
      this.#states = larger;
    }
    this.#states.set(state, start);
    this.count += 1;
    return true;
  }

  read(number: number, into: Int32Array): void {
    const start = number * this.#words;
    for (let word = 0; word < this.#words; word++) into[word] = this.#states[start + word] ?? 0;
  }

  #slot(state: Int32Array, offset: number): number {
    const words = this.#words;
    let hash = 0x811c9dc5;
    for (let word = 0; word < words; word++) {
      hash = Math.imul(hash ^ (state[offset + word] ?? 0), 0x01000193);
      hash ^= hash >>> 15;
    }
    const mask = this.#table.length - 1;
    let slot = Math.imul(hash, 0x9e3779b1) >>> 7 & mask;
    for (let known = this.#table[slot] ?? -1; known !== -1; known = this.#table[slot] ?? -1) {
      const start = known * words;
      let word = 0;
      while (word < words && this.#states[start + word] === state[offset + word]) word += 1;
      if (word === words) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    this.#table = new Int32Array(this.#table.length * 4).fill(-1);
    for (let number = 0; number < this.count; number++) {
      this.#table[this.#slot(this.#states, number * this.#words)] = number;
    }
  }
}

/**
 * Visits every state that can be reached, breadth first, so that the trace of a loss is as short as any.
 * @throws Error when there are more than `limit` states: nothing would then be proved.
 */
export function search(model: Model, limit = 12_000_000): Found {
  const seen = new Seen(model.size);
  let parents = new Int32Array(1 << 16);
  const words = new Int32Array(model.size / 4);
  const state = new Uint8Array(words.buffer);
  const emitted = new Int32Array(model.size / 4);
  const emittedBytes = new Uint8Array(emitted.buffer);
  let loss: string | undefined;
  let from = -1;
  const emit = (_: string, successor: Uint8Array): void => {
    if (loss !== undefined) return;
    emittedBytes.set(successor);
    if (!seen.add(emitted)) return;
    if (seen.count > parents.length) {
      const larger = new Int32Array(parents.length * 2);
      larger.set(parents);
      parents = larger;
    }
    parents[seen.count - 1] = from;
    loss = model.loss(successor);
  };
  for (const initial of model.initial) emit('', initial);
  for (from = 0; from < seen.count && loss === undefined; from++) {
    if (seen.count > limit) throw new Error(`more than ${limit} states`);
    seen.read(from, words);
    model.next(state, emit);
  }
  if (loss === undefined) return { states: seen.count };
  return { states: seen.count, loss: { what: loss, trace: traceOf(model, seen, parents) } };
}

/** The steps from the start to the newest state: each found again among those of the state before it. */
function traceOf(model: Model, seen: Seen, parents: Int32Array): string[] {
  const trace: string[] = [];
  const words = new Int32Array(model.size / 4);
  const before = new Int32Array(model.size / 4);
  for (let number = seen.count - 1; (parents[number] ?? -1) >= 0; number = parents[number] ?? -1) {
    seen.read(number, words);
    seen.read(parents[number] ?? 0, before);
    const wanted = new Uint8Array(words.buffer);
    let step = '';
    model.next(new Uint8Array(before.buffer), (label, successor) => {
      if (wanted.every((byte, place) => byte === successor[place])) step = label;
    });
    trace.unshift(step);
  }
  return trace;
}
