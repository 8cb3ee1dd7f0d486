const SLICES = 600;

/**
 * What was used over a window that slides: amounts in slices, so that memory does not grow with requests. It forgets a slice only when
 * all of it is out of the window, so it never counts less than a server that does the same.
 */
export class UseWindow {
  readonly limit: number;
  readonly #sliceMs: number;
  readonly #amounts = new Float64Array(SLICES + 1);
  /** Number of the newest slice that was looked at. */
  #newest = 0;
  #total = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.#sliceMs = windowMs / SLICES;
  }

  add(now: number, amount: number): void {
    this.#forget(now);
    this.#amounts[this.#newest % this.#amounts.length] = (this.#amounts[this.#newest % this.#amounts.length] ?? 0) + amount;
    this.#total += amount;
  }

  total(now: number): number {
    this.#forget(now);
    return this.#total;
  }

  /** Milliseconds until `amount` more fits, if nothing else is added; 0 where it fits now. What is larger than the limit fits an empty window. */
  untilFits(now: number, amount: number): number {
    this.#forget(now);
    const most = Math.max(0, this.limit - amount);
    let left = this.#total;
    for (let age = SLICES; age >= 0 && left > most; age--) {
      const slice = this.#newest - age;
      left -= slice < 0 ? 0 : this.#amounts[slice % this.#amounts.length] ?? 0;
      if (left <= most) return Math.max(1, (slice + SLICES + 1) * this.#sliceMs - now);
    }
    return 0;
  }

  #forget(now: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    if (slice <= this.#newest) return;
    const steps = Math.min(slice - this.#newest, this.#amounts.length);
    for (let step = 1; step <= steps; step++) {
      const place = (this.#newest + step) % this.#amounts.length;
      this.#total -= this.#amounts[place] ?? 0;
      this.#amounts[place] = 0;
    }
    this.#newest = slice;
  }
}
