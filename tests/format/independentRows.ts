/** docs/format/catalog.md: blocks of rows, and recipes. Nothing here may be imported from src. */

/** A row; byte strings have one character a byte. `kind` is '' where the key is gone. */
export interface Row {
  readonly key: string;
  readonly parent: string;
  readonly name: string;
  readonly kind: string;
  readonly size: number;
  readonly modified: number;
  readonly change: string;
  readonly meta: string;
  readonly outcome: string;
  readonly content: string;
}

const COLUMNS = ['key', 'parent', 'name', 'kind', 'size', 'modified', 'change', 'meta', 'outcome', 'content'];
const NUMBERS = ['size', 'modified'];
const UTF8 = ['name', 'meta', 'outcome'];

export function readBlock(block: Buffer): Row[] {
  const count = block.readUInt32LE(0);
  const rows = Array.from({ length: count }, (): Record<string, string | number> => ({}));
  let at = 4;
  for (const column of COLUMNS) {
    const section = block.subarray(at + 4, at + 4 + block.readUInt32LE(at));
    at += 4 + section.length;
    let valueAt = count * 4;
    rows.forEach((row, i) => {
      if (NUMBERS.includes(column)) {
        row[column] = section.readDoubleLE(i * 8);
        return;
      }
      const end = valueAt + section.readUInt32LE(i * 4);
      row[column] = section.toString(UTF8.includes(column) ? 'utf8' : 'latin1', valueAt, end);
      valueAt = end;
    });
  }
  if (at !== block.length) throw new Error('a block of rows does not add up');
  return rows as unknown as Row[];
}

export interface Reference {
  readonly id: string;
  readonly length: number;
}

export interface Op {
  readonly blobs: readonly Reference[];
  readonly base64?: { readonly line: number; readonly crlf: boolean; readonly last: boolean };
}

export type Recipe =
  | { readonly kind: 'empty' }
  | { readonly kind: 'blob'; readonly id: string }
  | { readonly kind: 'ops'; readonly sha256: string; readonly ops: readonly Op[] }
  | { readonly kind: 'stored'; readonly sha256: string; readonly blobs: readonly Reference[] };

class Cursor {
  at = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): boolean { return this.at < this.bytes.length; }

  byte(): number {
    return this.bytes.readUInt8(this.at++);
  }

  hex(length: number): string {
    if (this.at + length > this.bytes.length) throw new Error('a recipe ends too early');
    this.at += length;
    return this.bytes.toString('hex', this.at - length, this.at);
  }

  varint(): number {
    let value = 0;
    for (let i = 0; ; i++) {
      const byte = this.byte();
      value += (byte % 128) * 128 ** i;
      if (byte < 128) return value;
    }
  }

  reference(): Reference {
    return { id: this.hex(24), length: this.varint() };
  }

  references(): Reference[] {
    return Array.from({ length: this.varint() }, () => this.reference());
  }
}

export function readRecipe(content: string): Recipe {
  const cursor = new Cursor(Buffer.from(content, 'latin1'));
  const kind = cursor.byte();
  if (kind === 0) return { kind: 'empty' };
  if (kind === 1) return { kind: 'blob', id: cursor.hex(24) };
  const sha256 = cursor.hex(32);
  if (kind === 2) return { kind: 'ops', sha256, ops: readOps(cursor.bytes.subarray(cursor.at)) };
  if (kind !== 3) throw new Error(`a recipe of kind ${kind}`);
  const blobs: Reference[] = [];
  while (cursor.left) blobs.push(cursor.reference());
  return { kind: 'stored', sha256, blobs };
}

export function readOps(bytes: Buffer): Op[] {
  const cursor = new Cursor(bytes);
  const ops: Op[] = [];
  while (cursor.left) {
    const op = cursor.byte();
    if (op === 1) {
      ops.push({ blobs: cursor.references() });
      continue;
    }
    if (op !== 2) throw new Error(`an op of kind ${op}`);
    const line = cursor.varint();
    const flags = cursor.byte();
    ops.push({ base64: { line, crlf: (flags & 1) !== 0, last: (flags & 2) !== 0 }, blobs: cursor.references() });
  }
  return ops;
}

export function base64Text(bytes: Buffer, { line, crlf, last }: NonNullable<Op['base64']>): Buffer {
  const end = crlf ? '\r\n' : '\n';
  const lines = bytes.toString('base64').match(new RegExp(`.{1,${line}}`, 'g')) ?? [];
  return Buffer.from(lines.join(end) + (last && lines.length > 0 ? end : ''));
}
