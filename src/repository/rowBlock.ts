import type { BinaryString, HoldfastError, ItemRow, RowChange } from '../domain/index.ts';
import { damaged } from './sealedObject.ts';

/**
 * A block of row changes as columns: u32 row count, then per column u32 section length and the section.
 * A text section is one u32 length a row, then all values end to end; a number section is one f64 a row (NaN = null).
 * A row whose kind is '' says that its key was removed.
 */
const BINARY = ['key', 'parent', 'kind', 'change', 'content'] as const;
const UNICODE = ['name', 'meta', 'outcome'] as const;
const NUMBERS = ['size', 'modified'] as const;
type TextColumn = (typeof BINARY)[number] | (typeof UNICODE)[number];
type Column = TextColumn | (typeof NUMBERS)[number];
const COLUMNS: readonly Column[] = ['key', 'parent', 'name', 'kind', 'size', 'modified', 'change', 'meta', 'outcome', 'content'];

export const BLOCK_ROWS = 4096;

const EMPTY: ItemRow = {
  key: '', parent: '', name: '', kind: '', size: 0, modified: null, change: '', meta: '', outcome: '', content: '',
};

/** Encodes changes in the order given (ascending keys). */
export function encodeRowBlock(changes: readonly RowChange[]): Buffer {
  const rows = changes.map((change) => ('row' in change ? change.row : { ...EMPTY, key: change.removed }));
  const sections: Buffer[] = [];
  for (const column of COLUMNS) {
    if (column === 'size' || column === 'modified') {
      sections.push(section(Buffer.from(Float64Array.from(rows, (row) => row[column] ?? Number.NaN).buffer)));
    } else {
      const values = rows.map((row) => row[column]);
      sections.push(section(isUnicode(column) ? unicodeSection(values) : binarySection(values)));
    }
  }
  const count = Buffer.alloc(4);
  count.writeUInt32LE(rows.length, 0);
  return Buffer.concat([count, ...sections]);
}

function isUnicode(column: TextColumn): boolean {
  return (UNICODE as readonly string[]).includes(column);
}

function section(body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length, 0);
  return Buffer.concat([head, body]);
}

function binarySection(values: readonly string[]): Buffer {
  const lengths = Uint32Array.from(values, (value) => value.length);
  return Buffer.concat([Buffer.from(lengths.buffer), Buffer.from(values.join(''), 'latin1')]);
}

function unicodeSection(values: readonly string[]): Buffer {
  const parts = values.map((value) => Buffer.from(value));
  const lengths = Uint32Array.from(parts, (part) => part.length);
  return Buffer.concat([Buffer.from(lengths.buffer), ...parts]);
}

/** Decodes columns when they are first asked for: a scan that looks at keys and change keys pays for those two. */
export class RowBlock {
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #name: string;
  readonly #starts = new Map<Column, number>();
  readonly #ends = new Map<Column, number>();
  readonly #offsets = new Map<TextColumn, Uint32Array>();
  #keys: string[] | undefined;
  #changes: string[] | undefined;

  /** @param name of the segment, for messages. Throws `repository/damaged`, as the columns do when they are first looked at. */
  constructor(bytes: Buffer, name = 'segment') {
    this.#bytes = bytes;
    this.#name = name;
    this.count = this.#u32(0);
    let at = 4;
    for (const column of COLUMNS) {
      const length = this.#u32(at);
      at += 4;
      const least = this.count * (column === 'size' || column === 'modified' ? 8 : 4);
      if (length < least || at + length > bytes.length) throw this.#damaged();
      this.#starts.set(column, at);
      this.#ends.set(column, at + length);
      at += length;
    }
  }

  #u32(at: number): number {
    if (at + 4 > this.#bytes.length) throw this.#damaged();
    return this.#bytes.readUInt32LE(at);
  }

  #damaged(): HoldfastError {
    return damaged(this.#name, 'the columns of a block do not add up');
  }

  /** Parts of one string, which each of them keeps alive: for comparing. What is kept is taken from `row` or `keyAt`. */
  get keys(): readonly BinaryString[] { return (this.#keys ??= this.#all('key')); }
  get changeKeys(): readonly BinaryString[] { return (this.#changes ??= this.#all('change')); }

  /** One key alone: a look-up need not pay for all. */
  keyAt(index: number): BinaryString { return this.#text('key', index); }

  /** The first row at `from` or after whose key is not before `key`; `count` where there is none. */
  firstFrom(key: BinaryString, from = 0): number {
    let low = from;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.keyAt(middle) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  kind(index: number): string { return this.#text('kind', index); }

  /** True where the row at `index` says that its key was removed. */
  removed(index: number): boolean {
    const offsets = this.#offsetsOf('kind');
    return offsets[index] === offsets[index + 1];
  }

  row(index: number): ItemRow {
    const modified = this.#number('modified', index);
    return {
      key: this.#text('key', index),
      parent: this.#text('parent', index),
      name: this.#text('name', index),
      kind: this.#text('kind', index),
      size: this.#number('size', index),
      modified: Number.isNaN(modified) ? null : modified,
      change: this.#text('change', index),
      meta: this.#text('meta', index),
      outcome: this.#text('outcome', index),
      content: this.#text('content', index),
    };
  }

  change(index: number): RowChange {
    return this.removed(index) ? { removed: this.#text('key', index) } : { row: this.row(index) };
  }

  /** True where the item is stored whole: nothing went wrong with it. */
  sound(index: number): boolean {
    const offsets = this.#offsetsOf('outcome');
    return offsets[index] === offsets[index + 1];
  }

  parent(index: number): BinaryString { return this.#text('parent', index); }
  content(index: number): BinaryString { return this.#text('content', index); }

  #all(column: TextColumn): string[] {
    const offsets = this.#offsetsOf(column);
    const values = Array.from<string>({ length: this.count });
    const start = offsets[0] as number;
    const text = this.#bytes.toString('latin1', start, offsets[this.count]);
    for (let i = 0; i < this.count; i++) values[i] = text.slice((offsets[i] as number) - start, (offsets[i + 1] as number) - start);
    return values;
  }

  #text(column: TextColumn, index: number): string {
    const offsets = this.#offsetsOf(column);
    const start = offsets[index] ?? 0;
    const end = offsets[index + 1] ?? 0;
    if (start === end) return '';
    return isUnicode(column) ? this.#bytes.toString('utf8', start, end) : this.#bytes.toString('latin1', start, end);
  }

  #number(column: 'size' | 'modified', index: number): number {
    return this.#bytes.readDoubleLE((this.#starts.get(column) ?? 0) + index * 8);
  }

  /** Absolute start of each value and the end of the last. */
  #offsetsOf(column: TextColumn): Uint32Array {
    const known = this.#offsets.get(column);
    if (known) return known;
    const start = this.#starts.get(column) ?? 0;
    const offsets = new Uint32Array(this.count + 1);
    let at = start + this.count * 4;
    for (let i = 0; i < this.count; i++) {
      offsets[i] = at;
      at += this.#bytes.readUInt32LE(start + i * 4);
    }
    if (at !== this.#ends.get(column)) throw this.#damaged();
    offsets[this.count] = at;
    this.#offsets.set(column, offsets);
    return offsets;
  }
}
