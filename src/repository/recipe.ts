import type { BinaryString } from '../domain/index.ts';
import { MAX_LINE, MIN_LINE } from './base64Lines.ts';
import { damaged } from './sealedObject.ts';

/** Bytes of a blob id: SHA-256 cut to 192 bits, see docs/format. */
export const ID_LENGTH = 24;
/** Ops longer than this are kept in blobs of their own, so that rows stay small. */
export const INLINE_OPS = 2048;

/**
 * How the base64 lines around decoded bytes are made again. `lineLength` characters a line; `eol` after each full line;
 * `finalEol` whether the last line ends with one too.
 */
export interface Base64Layout {
  readonly lineLength: number;
  readonly eol: 'crlf' | 'lf';
  readonly finalEol: boolean;
}

export interface BlobRef {
  readonly id: BinaryString;
  readonly length: number;
}

/** Content in order: blobs as they are, or the base64 text of the bytes that a run of blobs makes. */
export type Op = { readonly blobs: readonly BlobRef[]; readonly base64?: Base64Layout };

/**
 * A recipe says how an item's bytes are put together:
 * `empty` · `blob` one blob, whose id proves the bytes · `ops` with the SHA-256 of the whole ·
 * `stored` the same with the encoded ops kept in blobs.
 */
export type Recipe =
  | { readonly type: 'empty' }
  | { readonly type: 'blob'; readonly id: BinaryString }
  | { readonly type: 'ops'; readonly sha256: BinaryString; readonly ops: readonly Op[] }
  | { readonly type: 'stored'; readonly sha256: BinaryString; readonly ops: readonly BlobRef[] };

const EMPTY = 0;
const BLOB = 1;
const OPS = 2;
const STORED = 3;
const OP_RAW = 1;
const OP_BASE64 = 2;

export function encodeRecipe(recipe: Recipe): BinaryString {
  switch (recipe.type) {
    case 'empty': return String.fromCharCode(EMPTY);
    case 'blob': return String.fromCharCode(BLOB) + recipe.id;
    case 'ops': return String.fromCharCode(OPS) + recipe.sha256 + encodeOps(recipe.ops);
    case 'stored': return String.fromCharCode(STORED) + recipe.sha256 + recipe.ops.map(encodeRef).join('');
  }
}

export function encodeOps(ops: readonly Op[]): BinaryString {
  let text = '';
  for (const op of ops) {
    text += String.fromCharCode(op.base64 ? OP_BASE64 : OP_RAW);
    if (op.base64) {
      text += varint(op.base64.lineLength)
        + String.fromCharCode((op.base64.eol === 'crlf' ? 1 : 0) | (op.base64.finalEol ? 2 : 0));
    }
    text += varint(op.blobs.length) + op.blobs.map(encodeRef).join('');
  }
  return text;
}

function encodeRef(ref: BlobRef): BinaryString {
  return ref.id + varint(ref.length);
}

function varint(value: number): BinaryString {
  let text = '';
  let rest = value;
  while (rest >= 0x80) {
    text += String.fromCharCode((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return text + String.fromCharCode(rest);
}

class Reader {
  readonly #text: BinaryString;
  #at: number;
  constructor(text: BinaryString, at: number) {
    this.#text = text;
    this.#at = at;
  }
  get done(): boolean { return this.#at >= this.#text.length; }
  byte(): number {
    if (this.done) throw damaged('recipe', 'it ends too early');
    return this.#text.charCodeAt(this.#at++);
  }
  take(length: number): BinaryString {
    const part = this.#text.slice(this.#at, this.#at + length);
    if (part.length !== length) throw damaged('recipe', 'it ends too early');
    this.#at += length;
    return part;
  }
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw damaged('recipe', 'a number in it is too long');
  }
  /** A count that the rest cannot hold is damage before it is memory. */
  refs(count: number): BlobRef[] {
    if (count > (this.#text.length - this.#at) / (ID_LENGTH + 1)) throw damaged('recipe', 'it ends too early');
    return Array.from({ length: count }, () => this.ref());
  }
  ref(): BlobRef { return { id: this.take(ID_LENGTH), length: this.varint() }; }
}

/** @throws `repository/damaged` for bytes that are no recipe. */
export function decodeRecipe(text: BinaryString): Recipe {
  const reader = new Reader(text, 0);
  switch (reader.byte()) {
    case EMPTY: return { type: 'empty' };
    case BLOB: return { type: 'blob', id: reader.take(ID_LENGTH) };
    case OPS: return { type: 'ops', sha256: reader.take(32), ops: readOps(reader) };
    case STORED: {
      const sha256 = reader.take(32);
      const ops: BlobRef[] = [];
      while (!reader.done) ops.push(reader.ref());
      return { type: 'stored', sha256, ops };
    }
    default: throw damaged('recipe', 'its type is unknown');
  }
}

export function decodeOps(text: BinaryString): Op[] {
  return readOps(new Reader(text, 0));
}

function readOps(reader: Reader): Op[] {
  const ops: Op[] = [];
  while (!reader.done) {
    const type = reader.byte();
    if (type !== OP_RAW && type !== OP_BASE64) throw damaged('recipe', 'a step of it is unknown');
    const base64 = type === OP_BASE64 ? readLayout(reader) : undefined;
    const blobs = reader.refs(reader.varint());
    ops.push(base64 ? { blobs, base64 } : { blobs });
  }
  return ops;
}

function readLayout(reader: Reader): Base64Layout {
  const lineLength = reader.varint();
  const flags = reader.byte();
  if (lineLength < MIN_LINE || lineLength > MAX_LINE || lineLength % 4 !== 0) throw damaged('recipe', 'it has lines that no base64 has');
  return { lineLength, eol: flags & 1 ? 'crlf' : 'lf', finalEol: (flags & 2) !== 0 };
}

/** Ids of the blobs that a recipe names itself; for 'stored' those of its ops, not yet those that the ops name. */
export function* recipeIds(recipe: Recipe): Generator<BinaryString> {
  if (recipe.type === 'blob') yield recipe.id;
  else if (recipe.type === 'stored') for (const ref of recipe.ops) yield ref.id;
  else if (recipe.type === 'ops') for (const op of recipe.ops) for (const ref of op.blobs) yield ref.id;
}
