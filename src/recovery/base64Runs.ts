import type { StoredPart } from '../repository/index.ts';

const LF = 10;
const CR = 13;
/** Longer lines are no base64 that programs write. */
const MOST_LINE = 1000;
const ALPHABET = new Uint8Array(256);
for (const one of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') ALPHABET[one.charCodeAt(0)] = 1;

/** Whole lines of base64, all alike. */
export interface Base64Run {
  /** Offset of its first byte. */
  readonly start: number;
  /** Characters of a line, and bytes that end each. */
  readonly line: number;
  readonly eol: number;
  lines: number;
}

export interface RunsListener {
  /** What belongs to no long run; `isRun`: to one that is not long. */
  text(bytes: Buffer, isRun: boolean): void;
  /** A long run, of which nothing is given as text. */
  run(run: Base64Run): void;
}

/** Finds long runs of base64 lines in the bytes of a mail, however they are cut into pieces, and tells them from the rest. Holds no more than one run that is not long. */
export class Base64Runs {
  readonly #listener: RunsListener;
  readonly #leastLine: number;
  readonly #long: () => number;
  #carry: Buffer = Buffer.alloc(0);
  #offset = 0;
  #run: Base64Run | undefined;
  #held: Buffer[] = [];

  /** Runs of lines of at least `leastLine` characters that are longer than `long` bytes, which is asked for again and again. */
  constructor(listener: RunsListener, { leastLine, long }: { readonly leastLine: number; readonly long: () => number }) {
    this.#listener = listener;
    this.#leastLine = leastLine;
    this.#long = long;
  }

  push(piece: Buffer): void {
    const data = this.#carry.length === 0 ? piece : Buffer.concat([this.#carry, piece]);
    let at = 0;
    /** Where begins what was not yet given out: text, or the lines of the run. */
    let from = 0;
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, at)) {
      const eol = data[end - 1] === CR && end > at ? 2 : 1;
      const line = end + 1 - at - eol;
      const isLine = this.#isLine(data, at, line);
      if (this.#run === undefined ? isLine : !isLine || this.#run.line !== line || this.#run.eol !== eol) {
        this.#give(data.subarray(from, at));
        this.#endRun();
        from = at;
        if (isLine) this.#run = { start: this.#offset + at, line, eol, lines: 0 };
      }
      if (this.#run !== undefined) this.#run.lines++;
      at = end + 1;
    }
    this.#give(data.subarray(from, at));
    this.#offset += at;
    this.#carry = Buffer.from(data.subarray(at));
    if (this.#carry.length <= MOST_LINE + 2) return;
    this.#endRun();
    this.#give(this.#carry);
    this.#offset += this.#carry.length;
    this.#carry = Buffer.alloc(0);
  }

  end(): void {
    this.#endRun();
    this.#give(this.#carry);
  }

  #isLine(data: Buffer, at: number, line: number): boolean {
    if (line < this.#leastLine || line > MOST_LINE || line % 4 !== 0) return false;
    for (let i = at; i < at + line; i++) if (ALPHABET[data[i] as number] === 0) return false;
    return true;
  }

  #give(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#run === undefined) this.#listener.text(bytes, false);
    else if (lengthOf(this.#run) <= this.#long()) this.#held.push(Buffer.from(bytes));
    else this.#held = [];
  }

  #endRun(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run !== undefined && lengthOf(run) > this.#long()) this.#listener.run(run);
    else for (const bytes of this.#held) this.#listener.text(bytes, true);
    this.#held = [];
  }
}

function lengthOf({ line, eol, lines }: Base64Run): number {
  return lines * (line + eol);
}

/** What a run of a part says, decoded, as if it were stored so. */
export function decodedRun(part: StoredPart, run: Base64Run): StoredPart {
  const { start, line, eol, lines } = run;
  return {
    base64: { lineLength: line, eol: 'lf', finalEol: false }, length: (lines * line * 3) / 4,
    async* pieces() {
      let left = lengthOf(run);
      let rest: Buffer = Buffer.alloc(0);
      for await (const piece of part.pieces(start)) {
        const text = Buffer.concat([rest, piece.subarray(0, left)]);
        left -= Math.min(left, piece.length);
        const whole = text.length - (text.length % (line + eol));
        // Ends of lines are passed over.
        yield Buffer.from(text.toString('latin1', 0, whole), 'base64');
        rest = text.subarray(whole);
        if (left === 0) return;
      }
    },
  };
}
