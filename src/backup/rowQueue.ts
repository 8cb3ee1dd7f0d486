import type { RowChange } from '../domain/index.ts';

interface Slot {
  settled: boolean;
  change: RowChange | undefined;
}

/** Keeps rows in the order of their keys while their contents are stored in any order. */
export class RowQueue {
  #slots: Slot[] = [];
  #head = 0;

  /** Rows that wait, settled or not. */
  get length(): number { return this.#slots.length - this.#head; }

  ready(change: RowChange): void {
    this.#slots.push({ settled: true, change });
  }

  /** A place for a row whose content is on its way; undefined: there is no row after all. */
  reserve(): (change: RowChange | undefined) => void {
    const slot: Slot = { settled: false, change: undefined };
    this.#slots.push(slot);
    return (change) => {
      slot.change = change;
      slot.settled = true;
    };
  }

  /** The next row, if it is there. */
  take(): RowChange | undefined {
    for (let slot = this.#slots[this.#head]; slot?.settled; slot = this.#slots[this.#head]) {
      this.#slots[this.#head] = GONE;
      this.#head++;
      if (this.#head > 4096 && this.#head * 2 > this.#slots.length) {
        this.#slots = this.#slots.slice(this.#head);
        this.#head = 0;
      }
      if (slot.change) return slot.change;
    }
    return undefined;
  }
}

const GONE: Slot = { settled: true, change: undefined };
