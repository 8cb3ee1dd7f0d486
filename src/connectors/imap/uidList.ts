/** UIDs with their flags, compact: a million take 8 MB. */
export class UidList {
  #uids = new Uint32Array(1024);
  #flags = new Uint32Array(1024);
  #length = 0;
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  get length(): number {
    return this.#length;
  }

  /** `flags` undefined: not known. */
  add(uid: number, flags: string | undefined): void {
    if (this.#length === this.#uids.length) {
      this.#uids = grown(this.#uids);
      this.#flags = grown(this.#flags);
    }
    this.#uids[this.#length] = uid;
    this.#flags[this.#length++] = flags === undefined ? 0 : this.#intern(flags);
  }

  #intern(flags: string): number {
    let number = this.#numbers.get(flags);
    if (number === undefined) {
      number = this.#texts.push(flags);
      this.#numbers.set(flags, number);
    }
    return number;
  }

  /** Ascending by UID, each once; of several the last one added counts. To be called before reading. */
  sort(): this {
    let ascending = true;
    for (let i = 1; i < this.#length && ascending; i++) ascending = this.uid(i - 1) < this.uid(i);
    if (ascending) return this;
    const last = new Map<number, number>();
    for (let i = 0; i < this.#length; i++) last.set(this.uid(i), this.#flags[i] ?? 0);
    const uids = Uint32Array.from(last.keys()).sort();
    this.#uids = uids;
    this.#flags = uids.map((uid) => last.get(uid) ?? 0);
    this.#length = uids.length;
    return this;
  }

  uid(index: number): number {
    return this.#uids[index] ?? 0;
  }

  flags(index: number): string | undefined {
    const number = this.#flags[index] ?? 0;
    return number === 0 ? undefined : this.#texts[number - 1];
  }

  /** Whether `uid` is in the sorted list. */
  has(uid: number): boolean {
    let low = 0;
    let high = this.#length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = this.uid(middle);
      if (at === uid) return true;
      if (at < uid) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}
