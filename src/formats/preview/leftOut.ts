/** Long base64 that was left out of a content before it was read: where it stood stands a placeholder of the same shape, numbered in order. */
export interface LeftOut {
  /** 36 characters that nobody can guess; '' where nothing was left out. */
  readonly secret: string;
  readonly sizes: readonly LeftOutSize[];
}

export interface LeftOutSize {
  /** Decoded. */
  readonly bytes: number;
  /** Of the base64 itself, with the ends of its lines as a reader of mails gives them: one character each, none behind the last. */
  readonly text: number;
}

export const NOTHING_LEFT_OUT: LeftOut = { secret: '', sizes: [] };

/** Bytes of a secret, written in hex. With the number behind it a placeholder is a multiple of three bytes long: its base64 has no padding, and bytes may follow. */
export const SECRET_BYTES = 18;
const NUMBER = 6;
const PLACEHOLDER = SECRET_BYTES * 2 + NUMBER;
/** Characters of a placeholder in base64. Base64 in shorter lines is not left out. */
export const PLACEHOLDER_TEXT = (PLACEHOLDER / 3) * 4;
export const MOST_PLACEHOLDERS = 10 ** NUMBER;

/** What stands for the bytes of a number. */
export function placeholderOf(secret: string, number: number): string {
  return secret + String(number).padStart(NUMBER, '0');
}

/** What bytes are made of: some that are there, and numbers of those that were left out: decoded, or as the base64 that they are in a mail that lies in another as it is. */
export type Segment = Uint8Array | { readonly number: number; readonly as: 'bytes' | 'text' };

/** Takes bytes apart at the placeholders in them. */
export function segmentsOf(bytes: Uint8Array, { secret, sizes }: LeftOut): Segment[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (secret === '') return [all];
  const encoded = Buffer.from(secret).toString('base64');
  const segments: Segment[] = [];
  let at = 0;
  for (let next = nearest(all, secret, encoded, 0); next !== undefined; next = nearest(all, secret, encoded, at)) {
    const { found, as } = next;
    const length = as === 'bytes' ? PLACEHOLDER : PLACEHOLDER_TEXT;
    const placeholder = as === 'bytes' ? all.toString('latin1', found, found + length) : Buffer.from(all.toString('latin1', found, found + length), 'base64').toString('latin1');
    const number = Number(placeholder.slice(-NUMBER));
    if (sizes[number] === undefined) break;
    if (found > at) segments.push(all.subarray(at, found));
    segments.push({ number, as });
    at = found + length;
  }
  if (at < all.length || segments.length === 0) segments.push(all.subarray(at));
  return segments;
}

function nearest(all: Buffer, secret: string, encoded: string, from: number): { readonly found: number; readonly as: 'bytes' | 'text' } | undefined {
  const [bytes, text] = [all.indexOf(secret, from), all.indexOf(encoded, from)];
  if (bytes < 0 && text < 0) return undefined;
  return text < 0 || (bytes >= 0 && bytes < text) ? { found: bytes, as: 'bytes' } : { found: text, as: 'text' };
}

export function sizeOf(segments: readonly Segment[], { sizes }: LeftOut): number {
  return segments.reduce<number>((sum, one) => sum + (one instanceof Uint8Array ? one.length : sizes[one.number]?.[one.as] ?? 0), 0);
}

/** Undefined where some of it was left out. */
export function wholeOf(segments: readonly Segment[]): Uint8Array | undefined {
  const [only] = segments;
  return segments.length === 1 && only instanceof Uint8Array ? only : undefined;
}
