import type { RowChange } from '../domain/index.ts';

interface Slot {
  change: RowChange | undefined;
}

/** Keeps rows in the order of their keys while their contents are stored in any order. */
export class RowQueue {
  #slots: Slot[] = [];
  #head = 0;

  /** Rows that wait, settled or not. */
  get length(): number { return this.#slots.length - this.#head; }

  ready(change: RowChange): void {
    this.#slots.push({ change });
  }

  /** A place for a row whose content is on its way. */
  reserve(): (change: RowChange) => void {
    const slot: Slot = { change: undefined };
    this.#slots.push(slot);
    return (change) => { slot.change = change; };
  }

  /** The next row, if it is there. */
  take(): RowChange | undefined {
    const slot = this.#slots[this.#head];
    if (!slot?.change) return undefined;
    this.#slots[this.#head] = { change: undefined };
    this.#head++;
    if (this.#head > 4096 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    return slot.change;
  }
}
